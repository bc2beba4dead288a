"""The Java servers come from Maven Central once, into a cache; `servers.lock.json` holds the sha256 of each file."""

import hashlib
import json
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from jgo.maven import MavenContext, PythonResolver

from dev.errors import Trouble
from dev.paths import ROOT, cache_dir

LOCK_FILE = ROOT / "dev" / "servers.lock.json"
KAFKA = ("org.apache.kafka:kafka_2.13:4.4.0:jar", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5:jar")
REGISTRY = "io.apicurio:apicurio-registry-app:3.3.3:tar.gz:all"
DOWNLOAD_SECONDS = 60


@contextmanager
def _progress(name: str, size: int) -> Iterator[Callable[[int], None]]:
    """Show one line per file; large files also show how far they are."""
    done, shown = 0, 0

    def advance(count: int) -> None:
        nonlocal done, shown
        done += count
        if size > 10_000_000 and done * 10 // size > shown:
            shown = done * 10 // size
            print(f"  {name}: {shown * 10} % of {size // 1_000_000} MB", file=sys.stderr, flush=True)

    if not name.endswith(".pom"):
        print(f"Downloading {name}", file=sys.stderr, flush=True)
    yield advance


def _context(repository: Path) -> MavenContext:
    return MavenContext(
        repo_cache=repository,
        timeout=DOWNLOAD_SECONDS,
        resolver=PythonResolver(progress_callback=_progress),
    )


def _file_name(coordinate: str) -> str:
    _, artifact, version, packaging, *classifier = coordinate.split(":")
    return "-".join([artifact, version, *classifier]) + f".{packaging}"


def download(coordinate: str, staging: Path) -> Path:
    """Fetch one file of Maven Central into `staging`."""
    group, name, version, packaging, *classifier = coordinate.split(":")
    component = _context(staging).project(group, name).at_version(version)
    try:
        artifact = component.artifact(packaging=packaging, classifier=classifier[0] if classifier else "")
        return Path(artifact.resolve())
    except (requests.RequestException, RuntimeError) as error:
        raise Trouble(
            f"Downloading {coordinate} from Maven Central failed ({error.__class__.__name__}: {error}). "
            "Check the connection (and HTTPS_PROXY, if you use one), then run the same command again: "
            "what is there is kept."
        ) from error


def sha256(path: Path) -> str:
    """The checksum of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def locked_files(server: str, lock_file: Path = LOCK_FILE) -> dict[str, str]:
    """Coordinates and checksums of one server's files."""
    return dict(json.loads(lock_file.read_text())[server])


def fetch(coordinate: str, checksum: str, cache: Path, get: Callable[[str, Path], Path] = download) -> Path:
    """The file of a coordinate, from the cache or downloaded; Trouble when its checksum is not the locked one."""
    target = cache / "files" / _file_name(coordinate)
    if target.exists() and sha256(target) == checksum:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="incoming-") as staging:
        fresh = get(coordinate, Path(staging))
        if (found := sha256(fresh)) != checksum:
            raise Trouble(
                f"{coordinate} was downloaded, but it is not the file of dev/servers.lock.json: sha256 {found}, "
                f"expected {checksum}. It was thrown away. Try again from another network; if it stays, report it."
            )
        fresh.replace(target)
    return target


def kafka_class_path() -> list[Path]:
    """The verified jars of Kafka."""
    cache = cache_dir()
    return [fetch(coordinate, checksum, cache) for coordinate, checksum in locked_files("kafka").items()]


def registry_dir() -> Path:
    """The folder with the registry's `quarkus-run.jar`, unpacked from its verified archive."""
    cache = cache_dir()
    [(coordinate, checksum)] = locked_files("registry").items()
    target = cache / f"registry-{checksum[:16]}"
    if not target.exists():
        archive = fetch(coordinate, checksum, cache)
        with tempfile.TemporaryDirectory(dir=cache, prefix="unpacking-") as staging:
            with tarfile.open(archive) as packed:
                packed.extractall(staging, filter="data")
            shutil.move(next(Path(staging).rglob("quarkus-run.jar")).parent, target)
    return target


def write_lock() -> None:
    """Resolve what Kafka and the registry need, and write down coordinates and checksums."""
    cache = cache_dir()
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="locking-") as staging:
        repository = Path(staging)
        kafka = {coordinate for root in KAFKA for coordinate in [root, *_dependencies(root, repository)]}
        lock = {
            "kafka": {name: sha256(download(name, repository)) for name in sorted(kafka)},
            "registry": {REGISTRY: sha256(download(REGISTRY, repository))},
        }
    LOCK_FILE.write_text(json.dumps(lock, indent=2) + "\n")


def _dependencies(coordinate: str, repository: Path) -> list[str]:
    group, name, version, *_ = coordinate.split(":")
    context = _context(repository)
    _, nodes = context.pom_dependency_list(context.project(group, name).at_version(version).pom())
    needed = [node.dep for node in nodes if node.dep.scope in ("compile", "runtime", None)]
    return [f"{dep.groupId}:{dep.artifactId}:{dep.version}:{dep.type}" for dep in needed]
