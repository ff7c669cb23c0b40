"""The way to the API server: of the Pod that we run in, else of a kubeconfig."""

from __future__ import annotations

import os

import yaml  # type: ignore[import-untyped]  # a dependency of kubernetes, only its errors
from kubernetes import config
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import ConfigException

_IN_CLUSTER = "KUBERNETES_SERVICE_HOST"  # which the kubelet gives to every container
_HOW = "run in a Pod with a service account, or name a kubeconfig with --kubeconfig or KUBECONFIG"


class NoAccess(Exception):
    """There is no way to a cluster; says what was tried and what to do."""


def connect(kubeconfig: str | None = None, context: str | None = None) -> ApiClient:
    """A client that repeats nothing by itself; the caller closes it.

    `kubeconfig`: a file, or several as in KUBECONFIG.  Without it and a `context`, the cluster
    that we run in comes first.
    """
    settings = Configuration()
    # urllib3 would repeat reads, and so double every time-out; callers know better when.
    settings.retries = False
    try:
        if kubeconfig or context or _IN_CLUSTER not in os.environ:
            config.load_kube_config(  # type: ignore[no-untyped-call]  # it has no types
                kubeconfig, context, client_configuration=settings, persist_config=False
            )
        else:
            config.load_incluster_config(settings)  # type: ignore[no-untyped-call]  # nor this
    except ConfigException as error:
        raise NoAccess(f"no cluster: {' '.join(str(error).split())}; {_HOW}") from None
    except OSError as error:
        raise NoAccess(f"no cluster: {error.filename}: {error.strerror}; {_HOW}") from None
    except (yaml.YAMLError, AttributeError, LookupError, TypeError, ValueError):
        # What they say would quote the file, in which there are tokens.
        raise NoAccess(f"no cluster: what was read is no kubeconfig; {_HOW}") from None
    client = ApiClient(settings)
    client.user_agent = "tke-direct-binder"
    return client
