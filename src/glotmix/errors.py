"""The two ways glotmix gives up, each one clear line: what, where, the fix."""


class GlotmixError(Exception):
    """A fault while working (a full disk, a crashed run): exit code 1. Finished steps are kept."""

    exit_code = 1


class UserError(GlotmixError, ValueError):
    """Input that can't be right (a spec, a model folder, a pool): exit code 2. Nothing was written."""

    exit_code = 2
