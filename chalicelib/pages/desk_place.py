"""Where a page of the officers' desk is: whose service, who sits there, and what its forms carry."""

from dataclasses import dataclass

from chalicelib.pages import Site


@dataclass(frozen=True)
class Place:
    """`token` is the form token of the session. `officer_name` is empty where nobody has signed in. Who does not handle
    reports finds no way to them. `listed` is the query of the list that was open last.
    """

    site: Site
    officer_name: str = ""
    is_supervisor: bool = False
    token: str = ""
    handles_reports: bool = True
    listed: str = ""

    @property
    def address(self) -> str:
        """The address of the desk."""
        return f"{self.site.base}/desk"

    @property
    def home(self) -> str:
        """The address that one comes to first."""
        return self.address if self.handles_reports else f"{self.site.base}/statistics"

    @property
    def queue(self) -> str:
        """The address of the list that was open last."""
        return f"{self.address}?{self.listed}" if self.listed else self.address
