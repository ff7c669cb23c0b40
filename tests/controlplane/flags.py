"""What each program of the control plane is told."""

from __future__ import annotations

from pathlib import Path

# A node is given up soon, for tests that wait for it, yet not by a machine that is only busy.
NODE_GRACE = "8s"


def etcd(directory: Path) -> list[str]:
    # Sockets in our directory: no port to find, nobody else who could reach it.
    client = f"unix://{directory}/etcd.sock"
    peer = f"unix://{directory}/peer.sock"
    return [
        f"--data-dir={directory}/etcd",
        "--unsafe-no-fsync",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
    ]


def kube_apiserver(directory: Path, address: str, port: int) -> list[str]:
    return [
        f"--etcd-servers=unix://{directory}/etcd.sock",
        f"--bind-address={address}",
        f"--secure-port={port}",
        # An address of loopback may not stand in an EndpointSlice, and Pods do not come here.
        f"--advertise-address={address}",
        "--endpoint-reconciler-type=none",
        f"--cert-dir={directory}",
        f"--tls-cert-file={directory}/apiserver.crt",
        f"--tls-private-key-file={directory}/apiserver.key",
        "--authorization-mode=RBAC",
        f"--token-auth-file={directory}/tokens.csv",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={directory}/accounts.pub",
        f"--service-account-signing-key-file={directory}/accounts.key",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--profiling=false",
    ]


def kube_controller_manager(directory: Path) -> list[str]:
    kubeconfig = f"{directory}/controllers.kubeconfig"
    return [
        f"--kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--secure-port=0",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={directory}/accounts.key",
        f"--root-ca-file={directory}/ca.crt",
        "--node-monitor-period=1s",
        f"--node-monitor-grace-period={NODE_GRACE}",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--profiling=false",
    ]
