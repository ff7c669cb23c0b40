// The command argocd-cmp-server as Argo CD ships it, without the other programs of its binary.
//
// It is what runs a config management plugin in a sidecar of the repo-server:
//
//	argocd-cmp-server --config-dir-path DIR    # reads DIR/plugin.yaml
//
// What it takes from its environment:
//
//   - ARGOCD_PLUGINSOCKFILEPATH: the folder of its socket, which is NAME.sock, or NAME-VERSION.sock
//     where plugin.yaml has spec.version. It must exist; without the variable it is
//     /home/argocd/cmp-server/plugins. A socket's whole path takes 107 bytes on Linux, so a deep
//     temporary folder does not do. The socket is there a moment before requests are answered; a
//     client that connects to it waits.
//   - ARGOCD_CMP_WORKDIR, else TMPDIR: each request gets a folder below _cmp_server in it. A server
//     that starts DELETES that _cmp_server first, so two servers must not share it.
//   - everything else reaches the plugin's commands, PATH above all; the request's variables come
//     after it and win. Argo CD prefixes a user's own with ARGOCD_ENV_, the server does not.
//
// The commands run in the application's folder of a copy of the whole repository, in which no file
// is executable unless plugin.yaml says spec.preserveFileMode. The log is on stderr, as JSON
// (--logformat text, --loglevel debug). The first SIGTERM only removes the socket, as in Argo CD; a
// second one, or SIGKILL, ends the server.
package main

import (
	"os"

	"github.com/argoproj/argo-cd/v3/cmd/argocd-cmp-server/commands"
)

func main() {
	if err := commands.NewCommand().Execute(); err != nil {
		os.Exit(1)
	}
}
