"""The input of the benchmarks: applications of three documents, about 1.2 kB each."""

from __future__ import annotations

_APPLICATION = """\
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{n}   # owned by team-{team}
  namespace: team-{team}
  labels:
    app: app-{n}
spec:
  replicas: 3
  selector:
    matchLabels:
      app: app-{n}
  template:
    metadata:
      labels:
        app: app-{n}
        tier: "web"
    spec:
      containers:
        - name: web
          image: registry.example.com/team-{team}/app-{n}:1.2.3
          ports:
            - containerPort: 8080
              name: http
          # tuned by hand
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
            limits:
              memory: 256Mi
          readinessProbe:
            httpGet: {{path: /healthz, port: http}}
---
apiVersion: v1
kind: Service
metadata:
  name: app-{n}
  namespace: team-{team}
  annotations:
    team: 'team-{team}'
spec:
  type: LoadBalancer
  selector:
    app: app-{n}
  ports:
    - port: 80
      targetPort: http
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: app-{n}
  namespace: team-{team}
data:
  app.conf: |
    listen 8080
    upstream app-{n}.team-{team}.svc
    log_level info  # not a YAML comment
  feature-flags: "checkout,search"
"""


def applications(count: int) -> str:
    """A YAML stream of `count` applications: Deployment, LoadBalancer Service and ConfigMap."""
    return "".join(_APPLICATION.format(n=n, team=n % 20) for n in range(count))
