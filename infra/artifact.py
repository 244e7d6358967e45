"""`python -m infra.artifact STAGE`: what is deployed. Chalice's own package, compiled, without what lies idle in it.

Lambda's file system is read-only: a package without bytecode compiles itself again whenever a process starts. What we
make lies under the name that Chalice looks for, so a plain `chalice deploy` takes it. See `docs/adr/0010-artifact.md`.
"""

import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from chalice.config import Config
from chalice.deploy.packager import (
    DependencyBuilder,
    LambdaDeploymentPackager,
    MissingDependencyError,
    NoSuchPackageError,
    PackageDownloadError,
)
from chalice.utils import UI, OSUtils

from infra.deployment import GiveUp, load

ARCHITECTURES = ("arm64", "x86_64")
LARGEST_BYTES = 30_000_000
MARK = "made-by.txt"  # only what we made has it: the hash of this module, so that other rules make another artifact
IDLE = {
    "*.dist-info": "what pip wrote down; nothing of ours asks for it at run time",
    "*.data": "commands that come with dependencies",
    "tests": "of dependencies",
    "*.pyi": "for type checkers",
    "py.typed": "for type checkers",
    "*.h": "for C compilers",
    "__pycache__": "of another machine",
}
# What the code asks botocore for; it describes 400 others.
SERVICES = ("dynamodb", "sqs", "s3", "sesv2", "ssm", "apigatewaymanagementapi")
BOTOCORE = "botocore/data"
COMPILES_TEMPLATES = ("jinja2", "govuk_frontend_jinja")
TEMPLATES = """
import sys
from chalicelib import language, typeset
from chalicelib.pages.render import environments
pages, letters = sys.argv[1:]
for code in language.codes():
    language.use(code)
    ours, components = environments(language.spoken().translate)
    ours.compile_templates(f"{pages}/{code}", zip=None, ignore_errors=False)
    components.compile_templates(pages, zip=None, ignore_errors=False)
    letter = typeset.environment(language.spoken().translate)
    letter.compile_templates(f"{letters}/{code}", zip=None, ignore_errors=False)
"""


class Built(NamedTuple):
    """An artifact: `sha256` in hexadecimal; `reused` if it was there already."""

    path: Path
    size_bytes: int
    sha256: str
    reused: bool

    def describe(self) -> str:
        """One line for a person."""
        done = "reused" if self.reused else "built"
        return f"{self.path.name} {done}: {self.size_bytes / 1e6:.1f} MB, SHA-256 {self.sha256}"


def build(project: Path, stage: str) -> Built:
    """The artifact of `stage`, made unless it is there. Raises GiveUp, with one line, if it cannot be made."""
    target = _target(project, stage)
    reused = _is_ours(target)
    if not reused:
        _put(target, _made(project, stage))
        if _target(project, stage) != target:
            raise GiveUp("The code was changed while it was packaged. Run this again.")
    content = target.read_bytes()
    return Built(target, len(content), hashlib.sha256(content).hexdigest(), reused)


def plain_package(project: Path, stage: str, target: Path) -> None:
    """Write to `target` what Chalice alone would deploy. Raises GiveUp if a dependency cannot be had for Lambda."""
    config = _config(project, stage)
    _packager(config, target).create_deployment_package(str(project), config.lambda_python_version)
    with ZipFile(target) as archive:
        _expect_published_wheels(archive)


class _Dependencies(DependencyBuilder):
    """Chalice deploys without the dependencies that it could not get, and only says so; we do not."""

    def build_site_packages(self, abi: str, requirements_filepath: str, target_directory: str) -> None:
        try:
            super().build_site_packages(abi, requirements_filepath, target_directory)
        except MissingDependencyError as error:
            names = ", ".join(sorted(package.identifier for package in error.missing))
            raise GiveUp(f"There is no wheel for Lambda ({abi}, {self._machine}) of {names}. Pin another version "
                         "in requirements.txt, or choose another lambda_architecture.") from None  # fmt: skip
        except (NoSuchPackageError, PackageDownloadError):  # pip's words may name the registry and its password
            raise GiveUp("pip cannot download what requirements.txt asks for. Look at the network and the pins; "
                         "`pip download -r requirements.txt` says more.") from None  # fmt: skip


class _Packager(LambdaDeploymentPackager):
    """Writes to `target` if there is one, instead of the place that `chalice deploy` reads."""

    target: Path | None = None

    def deployment_package_filename(self, project_dir: str, python_version: str) -> str:
        usual: str = super().deployment_package_filename(project_dir, python_version)
        return str(self.target or usual)


def _config(project: Path, stage: str) -> Config:
    from_disk = load(project, stage).config
    config = Config(stage, config_from_disk=from_disk, user_provided_params={"project_dir": str(project)})
    if config.lambda_architecture not in ARCHITECTURES:
        raise GiveUp(f"lambda_architecture in .chalice/config.json must be one of: {', '.join(ARCHITECTURES)}")
    return config


def _packager(config: Config, target: Path | None = None) -> _Packager:
    files, architecture = OSUtils(), config.lambda_architecture
    dependencies = _Dependencies(files, architecture=architecture)
    packager = _Packager(files, dependencies, UI(out=io.StringIO()), architecture)
    packager.target = target
    return packager


def _target(project: Path, stage: str) -> Path:
    """Where Chalice looks. Its name is a hash of all files, so what Python cached beside the code must go first."""
    config = _config(project, stage)
    for cache in list((project / "chalicelib").rglob("__pycache__")):
        shutil.rmtree(cache, ignore_errors=True)
    return Path(_packager(config).deployment_package_filename(str(project), config.lambda_python_version))


def _is_ours(path: Path) -> bool:
    try:
        with ZipFile(path) as archive:
            return archive.read(MARK) == _mark()
    except (FileNotFoundError, BadZipFile, KeyError):
        return False


def _mark() -> bytes:
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest().encode()


def _made(project: Path, stage: str) -> bytes:
    with TemporaryDirectory() as scratch:
        plain, tree = Path(scratch, "plain.zip"), Path(scratch, "tree")
        plain_package(project, stage, plain)
        with ZipFile(plain) as archive:
            archive.extractall(tree, [name for name in archive.namelist() if not _is_idle(name)])
        _forget_other_endpoints(tree)
        _compile_templates(project, tree)
        _compile_python(tree)
        (tree / MARK).write_bytes(_mark())
        content = _zipped(tree)
    if len(content) >= LARGEST_BYTES:
        raise GiveUp(f"The artifact has {len(content) / 1e6:.1f} MB, and {LARGEST_BYTES / 1e6:.0f} MB is too much: "
                     "look at what requirements.txt brings.")  # fmt: skip
    return content


def _expect_published_wheels(package: ZipFile) -> None:
    """A wheel that pip had to compile here fits this machine's libraries, not Lambda's; its tag is a bare `linux`."""
    for name in package.namelist():
        if name.endswith(".dist-info/WHEEL") and b"-linux_" in package.read(name):
            raise GiveUp(f"{name.partition('.dist-info')[0]} has no wheel for Lambda and was compiled on this machine. "
                         "Pin another version in requirements.txt.")  # fmt: skip
    for name, version in _packaged(package):
        if name in COMPILES_TEMPLATES and metadata.version(name) != version:
            raise GiveUp(f"requirements.txt asks for {name} {version}, and {metadata.version(name)} is installed: "
                         "pip install -r requirements-dev.txt")  # fmt: skip


def _packaged(package: ZipFile) -> Iterator[tuple[str, str]]:
    """The name and the version of every dependency."""
    for name in package.namelist():
        if name.endswith(".dist-info/WHEEL"):
            project, _, version = name.removesuffix(".dist-info/WHEEL").partition("-")
            yield project.lower(), version


def _is_idle(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return _describes_another_service(name) or any(fnmatch(part, pattern) for part in parts for pattern in IDLE)


def _describes_another_service(name: str) -> bool:
    """botocore has a folder for each service, and beside them the files that all clients need."""
    folder, beside, _ = name.removeprefix(f"{BOTOCORE}/").partition("/")
    return name.startswith(f"{BOTOCORE}/") and bool(beside) and folder not in SERVICES


def _forget_other_endpoints(tree: Path) -> None:
    """The list of all services' endpoints has 1.2 MB, and every process reads it when it makes its first client."""
    wanted = {_endpoint_prefix(model) for model in tree.glob(f"{BOTOCORE}/*/*/service-2.json.gz")}
    for path in tree.glob(f"{BOTOCORE}/endpoints.json"):
        endpoints = json.loads(path.read_bytes())
        for partition in endpoints["partitions"]:
            services = partition["services"]
            partition["services"] = {name: services[name] for name in services if name in wanted}
        path.write_text(json.dumps(endpoints))


def _endpoint_prefix(model: Path) -> str:
    """What a service is called among the endpoints: `sesv2` is `email`."""
    return str(json.loads(gzip.decompress(model.read_bytes()))["metadata"]["endpointPrefix"])


def _compile_templates(project: Path, tree: Path) -> None:
    """To Python, by the environments that would compile them at run time. In the checkout: it can run its own code."""
    pages, letters = tree / "chalicelib" / "pages", tree / "chalicelib" / "letters"
    _python(project, "-c", TEMPLATES, str(pages / "compiled"), str(letters / "compiled"))
    shutil.rmtree(pages / "templates")
    for words in letters.glob("*.txt"):
        words.unlink()
    shutil.rmtree(tree / "govuk_frontend_jinja")  # nothing but templates


def _compile_python(tree: Path) -> None:
    """To bytecode where the source was: without a date, a check against a source, or a name of this machine."""
    _python(tree, "-S", "-m", "compileall", "-q", "-f", "-b", "--invalidation-mode", "unchecked-hash",
            "-s", str(tree), "-p", "/var/task", str(tree))  # fmt: skip
    for source in tree.rglob("*.py"):
        source.unlink()


def _python(folder: Path, *arguments: str) -> None:
    """Another Python, under the same hash seed every time: the order of a set must not show in what it makes."""
    environ = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *arguments], cwd=folder, env=environ, capture_output=True, text=True)
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()
        raise GiveUp(f"The code cannot be compiled: {said[-1] if said else 'Python does not say why'}")


def _zipped(tree: Path) -> bytes:
    """The same bytes for the same files: in order, of one date, readable by everybody."""
    content = io.BytesIO()
    with ZipFile(content, "w") as archive:
        for path in sorted(path for path in tree.rglob("*") if path.is_file()):
            entry = ZipInfo(path.relative_to(tree).as_posix())
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes(), ZIP_DEFLATED)
    return content.getvalue()


def _put(target: Path, content: bytes) -> None:
    """Whole or not at all, also if we are killed or the power goes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise GiveUp("Say which stage: python -m infra.artifact dev")
    print(build(Path.cwd(), sys.argv[1]).describe())
