"""k8s/overlays/minikube as the driver of the browser tests: in a namespace of its own, removed at the end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gateway
from containers import ContainerDriver
from forwarding import Forwarder

from dev import mailpit, ports
from dev.paths import ROOT, SERVICES
from dev.system import CommandFailed

START_SECONDS = 900
# What the tests reach from outside: Service and name of its port.
REACHED = {**{name: (f"{name}-web", "http") for name in SERVICES}, "mail": ("mail", "http")}
REACHED |= {"registry": ("registry", "http"), "kafka": ("kafka", "host")}
HOST_PORT = 19092  # Kafka's listener for clients outside, who are told to come back to where the test listens
# Who sends SMS and Slack messages: the endpoint that takes them runs beside it, on the loopback of its pod.
SENDER = ("deployment/tasks-worker", "--container", "program", "--")
GATEWAY = ("sh", "-c", 'nohup python -c "$0" "$1" >/dev/null 2>&1 &')
STATEFUL = {"kafka": ["kafka"], "valkey": ["valkey"], "postgres": [f"{name}-db" for name in SERVICES]}
OVERLAY = """
patches:
  - target: { kind: Service, name: "(.*-web|mail|registry|kafka)" }
    patch: |-
      - { op: add, path: /spec/type, value: NodePort }
  - target: { kind: Service, name: kafka }
    patch: |-
      - { op: add, path: /spec/ports/-, value: { name: host, port: %d } }
images:
"""


class KubernetesDriver(ContainerDriver):
    """`kubectl apply -k` on the cluster of the context that TRACKER_K8S_CONTEXT names (default: minikube).

    The images are there already, under the tag `release`; `postgres` is all four databases.
    """

    def __init__(self, directory: Path, release: str = "dev") -> None:
        super().__init__(directory)
        self._context = os.environ.get("TRACKER_K8S_CONTEXT", "minikube")
        self._namespace = f"task-tracker-e2e-{os.getpid()}"
        self._ports = ports.free(tuple(REACHED))
        self._overlay = self._prepare(directory)
        self._bare = (self._overlay / "kustomization.yaml").read_text()
        self._forwarders: list[Forwarder] = []
        try:
            self.release(release)
            self._forward()
            self.seed()
        except BaseException:
            self.close()
            raise

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self._ports[service]}"

    def stop(self, server: str) -> None:
        self._scale(server, 0)

    def start(self, server: str) -> None:
        """Also waits for the pages: they take nobody while their database is away, and notice its return by and by."""
        self._scale(server, 1)
        pages = [f"deployment/{name}-web" for name in SERVICES]
        self.kubectl("wait", "--for=condition=Available", *pages, "--timeout=120s")

    def stop_service(self, service: str) -> None:
        self._scale(f"{service}-web", 0)

    def start_service(self, service: str) -> None:
        self._scale(f"{service}-web", 1)

    def restart_workers(self, service: str) -> None:
        own = [name for name in self.deployments() if f"/{service}-relay" in name or f"/{service}-consumer" in name]
        self.kubectl("rollout", "restart", *own)
        for name in own:
            self.kubectl("rollout", "status", name, f"--timeout={START_SECONDS}s")

    def manage(self, service: str, *arguments: str, stdin: str = "") -> str:
        """A command beside the pages of a service; DEMO lets the demo's own commands run, and only those."""
        command = ("exec", "--stdin", f"deployment/{service}-web", "--container", "web", "--")
        return self.kubectl(*command, "env", "DEMO=true", "role", "manage", *arguments, stdin=stdin)

    def mailbox(self) -> list[Any]:
        return mailpit.messages(self.url("mail"))

    def posts(self) -> list[tuple[str, dict[str, str]]]:
        return gateway.told(self.kubectl("exec", *SENDER, "python", "-c", gateway.ASK))

    def kafka(self) -> dict[str, str]:
        broker = f"127.0.0.1:{self._ports['kafka']}"
        return {
            "bootstrap_servers": broker,
            "registry_url": f"{self.url('registry')}/apis/ccompat/v7",
            "topic_prefix": "",
        }

    def logs(self) -> Iterable[str]:
        """Of the pods that run now, since they were started last."""
        return [
            line
            for name in self.deployments()
            for line in self.kubectl("logs", "--selector", self.labels(name), "--tail=-1").splitlines()
        ]

    def close(self) -> None:
        for forwarder in self._forwarders:
            forwarder.close()
        self.kubectl("delete", "namespace", self._namespace, "--ignore-not-found", "--timeout=180s")

    def deployments(self) -> list[str]:
        """Those of our own programs, as `deployment.apps/NAME`."""
        names = self.kubectl("get", "deployments", "--output", "name").split()
        return [name for name in names if name.split("/")[1].split("-")[0] in SERVICES]

    def labels(self, name: str) -> str:
        """The selector of a Deployment or StatefulSet."""
        labels = json.loads(self.kubectl("get", name, "--output", "json"))["spec"]["selector"]["matchLabels"]
        return ",".join(f"{key}={value}" for key, value in labels.items())

    def evict(self, pod: str) -> None:
        """Ask for a pod to go, as draining a node does. CommandFailed where a disruption budget is against it."""
        path = f"/api/v1/namespaces/{self._namespace}/pods/{pod}/eviction"
        wish = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
        self.kubectl("create", "--raw", path, "--filename", "-", stdin=json.dumps(wish))

    def pages(self, replicas: int) -> None:
        """Let so many pods answer for each service; more only where metrics ask for it."""
        for name in SERVICES:
            patch = json.dumps({"spec": {"minReplicas": replicas}})
            self.kubectl("patch", "horizontalpodautoscaler", f"{name}-web", "--patch", patch)
        for name in SERVICES:
            wanted = ("--for=jsonpath={.status.readyReplicas}=" + str(replicas), f"deployment/{name}-web")
            self.kubectl("wait", *wanted, f"--timeout={START_SECONDS}s")

    def rotate(self, *secrets: str) -> None:
        """Make secrets anew and let all processes take them up."""
        for secret in secrets:
            subprocess.run([self._overlay / "make-secrets", "rotate", secret], check=True, capture_output=True)
        self._apply()

    def broken_connections(self) -> list[str]:
        """Between this machine and the cluster, since this was asked last."""
        told = [text for forwarder in self._forwarders for text in forwarder.broken]
        for forwarder in self._forwarders:
            forwarder.broken.clear()
        return told

    def release(self, tag: str) -> None:
        """Let all processes run the images of this tag."""
        images = [f"  - {{ name: task-tracker/{name}, newTag: {tag} }}\n" for name in SERVICES]
        (self._overlay / "kustomization.yaml").write_text(self._bare + "".join(images))
        self._apply()

    def _prepare(self, directory: Path) -> Path:
        """The overlay on ports of this run, with secrets of its own."""
        for name in ("k8s", "deploy"):
            shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("secrets"))
        overlay = directory / "k8s" / "overlays" / "minikube"
        settings = overlay / "shared.env"
        addresses = [f"{name.upper()}_PUBLIC_URL={self.url(name)}" for name in SERVICES]
        kept = [line for line in settings.read_text().splitlines() if "_PUBLIC_URL=" not in line]
        messages = [f"{name}={value}" for name, value in gateway.templates(gateway.PORT).items()]
        settings.write_text("\n".join([*kept, *addresses, *messages, ""]))
        kustomization = overlay / "kustomization.yaml"
        text = kustomization.read_text().replace("namespace: task-tracker\n", f"namespace: {self._namespace}\n")
        kustomization.write_text(text + OVERLAY % HOST_PORT)
        kafka = directory / "k8s" / "components" / "kafka" / "kafka.env"
        listeners = {
            "LISTENERS": f"HOST://:{HOST_PORT}",
            "ADVERTISED_LISTENERS": f"HOST://127.0.0.1:{self._ports['kafka']}",
            "LISTENER_SECURITY_PROTOCOL_MAP": "HOST:PLAINTEXT",
        }
        lines = kafka.read_text().splitlines()
        for name, value in listeners.items():
            lines = [f"{line},{value}" if line.startswith(f"KAFKA_{name}=") else line for line in lines]
        kafka.write_text("\n".join(lines))
        subprocess.run([overlay / "make-secrets"], check=True, capture_output=True)
        return overlay

    def _apply(self) -> None:
        """All of it, and wait; Jobs that are still there from the last time make way."""
        if self.kubectl("get", "namespace", self._namespace, "--ignore-not-found"):
            self.kubectl("delete", "jobs", "--all")
        self.kubectl("apply", "--kustomize", str(self._overlay))
        self._wait_until_ready()
        self.kubectl("exec", *SENDER, *GATEWAY, Path(gateway.__file__).read_text(), str(gateway.PORT))

    def _wait_until_ready(self) -> None:
        for kind in ("statefulsets", "deployments"):
            for name in self.kubectl("get", kind, "--output", "name").split():
                self.kubectl("rollout", "status", name, f"--timeout={START_SECONDS}s")
        clients = ("wait", "--for=condition=Complete", "job/auth-provision-clients", f"--timeout={START_SECONDS}s")
        self.kubectl(*clients)

    def _forward(self) -> None:
        node = json.loads(self.kubectl("get", "nodes", "--output", "json"))["items"][0]
        address = next(found["address"] for found in node["status"]["addresses"] if found["type"] == "InternalIP")
        services = {found["metadata"]["name"]: found for found in self._get("services")}
        for name, (service, port) in REACHED.items():
            published = next(found for found in services[service]["spec"]["ports"] if found["name"] == port)
            self._forwarders.append(Forwarder(self._ports[name], address, published["nodePort"]))

    def _scale(self, server: str, replicas: int) -> None:
        """Stop all pods of it and wait until they are gone, or start one and wait until it is ready."""
        names = [f"statefulset/{name}" for name in STATEFUL.get(server, [])] or [f"deployment/{server}"]
        self.kubectl("scale", f"--replicas={replicas}", *names)
        for name in names:
            self.kubectl("rollout", "status", name, f"--timeout={START_SECONDS}s")
            if not replicas:
                self.kubectl("wait", "--for=delete", "pod", "--selector", self.labels(name), "--timeout=120s")

    def _get(self, kind: str) -> list[Any]:
        return list(json.loads(self.kubectl("get", kind, "--output", "json"))["items"])

    def kubectl(self, *words: str, stdin: str = "") -> str:
        """What kubectl prints in the namespace of this run. Raises CommandFailed."""
        command = ["kubectl", "--context", self._context, "--namespace", self._namespace, *words]
        result = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        if result.returncode:
            raise CommandFailed(f"kubectl {' '.join(words)}: {result.stdout}{result.stderr}")
        return result.stdout
