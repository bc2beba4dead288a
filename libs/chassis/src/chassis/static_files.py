"""Static files under names with a hash, as soon as `collectstatic` has made them."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Plain names while there is no manifest: a checkout and its tests need no build step.

    With a manifest a name that it lacks is an error, so that a forgotten `collectstatic` shows at once.
    """

    def stored_name(self, name: str) -> str:
        """The name under which the file is served."""
        if not self.hashed_files:
            return name
        stored: str = super().stored_name(name)
        return stored
