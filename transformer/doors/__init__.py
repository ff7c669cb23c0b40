"""Where other programs call us: kustomize, Argo CD, Helm."""
