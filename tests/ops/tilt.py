"""The Tiltfile, run by a Starlark interpreter: Tilt's functions note what they are called with.

Commands run for real, against programs of the test. A call that Tilt would refuse is refused here too.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import starlark
import yaml

from dev.paths import ROOT

# Tilt's functions and the names of their arguments, in order.
SIGNATURES = {
    "allow_k8s_contexts": "contexts",
    "docker_build": "ref context build_args dockerfile live_update ignore only entrypoint target extra_tag",
    "fall_back_on": "files",
    "k8s_resource": "workload new_name port_forwards trigger_mode resource_deps objects pod_readiness links labels",
    "k8s_yaml": "yaml",
    "link": "url name",
    "port_forward": "local_port container_port name link_path host",
    "run": "cmd trigger",
    "sync": "local_path remote_path",
    "v1alpha1.cmd": "name labels annotations args dir env start_on",
    "v1alpha1.start_on_spec": "start_after ui_buttons",
    "v1alpha1.ui_button": "name labels annotations location text icon_name inputs requires_confirmation",
    "v1alpha1.ui_component_location": "component_id component_type",
    "v1alpha1.ui_input_spec": "name label text",
    "v1alpha1.ui_text_input_spec": "default_value placeholder",
}
LANGUAGE = ("StructType", "Print")
PRELUDE = """
v1alpha1 = struct(%s)
config = struct(tilt_subcommand=tilt_subcommand)
os = struct(getenv=os_getenv)
TRIGGER_MODE_AUTO, TRIGGER_MODE_MANUAL = "auto", "manual"
"""

Arguments = dict[str, Any]


@cache
def documents(text: str) -> list[Any]:
    """The objects of a stream of YAML."""
    return list(yaml.load_all(text, yaml.CSafeLoader))


class RefusedError(Exception):
    """What Tilt would say."""


@dataclass
class Tilt:
    """A run: what the machine is like, and afterwards what was called."""

    programs: Path
    kustomize: Callable[[str], str]
    context: str = "minikube"
    command: str = "up"
    environment: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, Arguments]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def run(self, text: str | None = None) -> Tilt:
        """Run the Tiltfile; RefusedError with its message where it fails."""
        module = starlark.Module()
        for name in SIGNATURES:
            module.add_callable(name.replace(".", "_"), self._recorder(name))
        for name in ("local", "k8s_context", "kustomize", "decode_yaml_stream", "blob"):
            module.add_callable(name, getattr(self, name))
        module.add_callable("os_getenv", self.environment.get)
        module["tilt_subcommand"] = self.command
        inner = [name.split(".")[1] for name in SIGNATURES if "." in name]
        prelude = PRELUDE % ", ".join(f"{name}=v1alpha1_{name}" for name in inner)
        dialect = starlark.Dialect.standard()
        dialect.enable_top_level_stmt = True
        available = starlark.Globals.extended_by([getattr(starlark.LibraryExtension, name) for name in LANGUAGE])
        try:
            for source in (prelude, text or (ROOT / "Tiltfile").read_text()):
                starlark.eval(module, starlark.parse("Tiltfile", source, dialect), available)
        except starlark.StarlarkError as error:
            raise RefusedError(str(error)) from error
        return self

    def called(self, name: str) -> list[Arguments]:
        """The arguments of each call, by name."""
        return [arguments for called, arguments in self.calls if called == name]

    def local(self, command: str | list[str], *, env: dict[str, str] | None = None, **_: Any) -> str:
        words = ["sh", "-c", command] if isinstance(command, str) else command
        self.commands.append(command if isinstance(command, str) else " ".join(command))
        environment = {"PATH": str(self.programs), **self.environment, **(env or {})}
        result = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if result.returncode:
            raise RefusedError(f"{command} ended with {result.returncode}: {result.stderr}")
        return result.stdout

    def k8s_context(self) -> str:
        return self.context

    def decode_yaml_stream(self, text: str) -> list[Any]:
        return documents(text)

    def blob(self, text: str) -> str:
        return text

    def _recorder(self, name: str) -> Callable[..., Any]:
        names = SIGNATURES[name].split()

        def record(*values: Any, **named: Any) -> Arguments:
            if unknown := set(named) - set(names):
                raise RefusedError(f"{name} has no argument {', '.join(unknown)}")
            arguments = dict(zip(names, values, strict=False)) | named
            self.calls.append((name, arguments))
            return {"of": name, **arguments}

        return record


def resources(tilt: Tilt) -> dict[str, Arguments]:
    """The resources as Tilt assembles them; RefusedError for what it would not find."""
    (text,) = (call["yaml"] for call in tilt.called("k8s_yaml"))
    objects = [(found["kind"], found["metadata"]["name"]) for found in documents(text)]
    workloads = {name for kind, name in objects if kind in ("Deployment", "StatefulSet", "Job", "CronJob")}
    known = {f"{name}:{kind}" for kind, name in objects}
    found: dict[str, Arguments] = {}
    for call in tilt.called("k8s_resource"):
        if "workload" in call and call["workload"] not in workloads:
            raise RefusedError(f"there is no workload {call['workload']}")
        if missing := set(call.get("objects", [])) - known:
            raise RefusedError(f"there are no objects {missing}")
        found[call.get("workload") or call["new_name"]] = call
    for name, call in found.items():
        if missing := set(call.get("resource_deps", [])) - set(found):
            raise RefusedError(f"{name} waits for {missing}, which does not exist")
    return found
