"""Fake workers that do each job together.

FAKE_GROUP_TROUBLE is `<part of a run's name>:<what happens in the second of them>`, several with spaces between.
"""

import os
import signal

from fake_worker import perform
from glotmix.errors import UserError
from glotmix.study.group import Group
from glotmix.study.job import Event, Job
from glotmix.study.worker import serve

if __name__ == "__main__":
    group = Group.joined()

    def together(job: Job, report) -> None:
        trouble = dict(told.split(":") for told in os.environ["FAKE_GROUP_TROUBLE"].split())
        what = next((what for name, what in trouble.items() if name in job.run), "")
        if what and group.rank == 1:
            report(Event(kind="notice", what="only the first process is heard"))
            if what == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            raise UserError("rows are too long; shorten them")
        if group.main:
            perform(job, report)
        group.wait()

    serve(together, group)
