"""The admission webhook: new Pods of namespaces that opt in get the readiness gate.

Every replica serves and every replica heals. What the configuration and the certificates should
be is a function of the options and one Secret, so replicas agree without talking to each other.
"""
