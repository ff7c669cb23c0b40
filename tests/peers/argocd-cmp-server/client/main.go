// The command argocd-cmp-client asks an argocd-cmp-server what Argo CD's repo-server asks it, with
// the same client code: the repository goes over as one archive, with the application's path in it
// and the variables for the plugin.
//
//	argocd-cmp-client [--timeout 60s] generate|match|parameters SOCKET REPO_ROOT APP_PATH [NAME=VALUE...]
//
// APP_PATH is a folder in REPO_ROOT, relative to it or absolute. The response is one JSON object on
// stdout: {"manifests": [TEXT...]}, {"isSupported": BOOL, "isDiscoveryEnabled": BOOL} or
// {"parameterAnnouncements": [...]}; an error is {"error": TEXT} and exit code 1. Wrong usage is exit
// code 2 and says so on stderr.
//
// The repo-server passes on the deadline of who asked it (the application controller gives 60
// seconds); here there is none without --timeout. The server ends the plugin 100 ms before it, so
// that the answer is still an error with the plugin's stderr. Connecting has no deadline.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	grpc_retry "github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/retry"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/argoproj/argo-cd/v3/cmpserver/apiclient"
	reposerver "github.com/argoproj/argo-cd/v3/reposerver/apiclient"
	"github.com/argoproj/argo-cd/v3/util/cmp"
)

const usage = "usage: argocd-cmp-client [--timeout 60s] generate|match|parameters SOCKET REPO_ROOT APP_PATH [NAME=VALUE...]"

// request is the repository to send: where it is, the application in it, and the variables.
type request struct {
	root, app string
	env       []string
}

// stream is what the three calls have in common.
type stream[R any] interface {
	cmp.StreamSender
	CloseAndRecv() (R, error)
	Context() context.Context
}

// send opens a stream as the repo-server does (without retries), sends the repository and waits for
// the response.
func send[R any, S stream[R]](
	ctx context.Context, open func(context.Context, ...grpc.CallOption) (S, error), what request,
) (response R, err error) {
	opened, err := open(ctx, grpc_retry.Disable())
	if err != nil {
		return response, err
	}
	err = cmp.SendRepoStream(opened.Context(), what.app, what.root, opened, what.env, nil)
	// EOF while sending: the server has answered already. Argo CD reports that EOF, we the answer.
	if err != nil && !errors.Is(err, io.EOF) {
		return response, err
	}
	return opened.CloseAndRecv()
}

func ask(ctx context.Context, verb, socket string, what request) (map[string]any, error) {
	connection, client, err := apiclient.NewConfigManagementPluginClientSet(socket).NewConfigManagementPluginClient()
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	switch verb {
	case "generate":
		response, err := send(ctx, client.GenerateManifest, what)
		if err != nil {
			return nil, err
		}
		return map[string]any{"manifests": append([]string{}, response.Manifests...)}, nil
	case "match":
		response, err := send(ctx, client.MatchRepository, what)
		if err != nil {
			return nil, err
		}
		return map[string]any{
			"isSupported":        response.IsSupported,
			"isDiscoveryEnabled": response.IsDiscoveryEnabled,
		}, nil
	default:
		response, err := send(ctx, client.GetParametersAnnouncement, what)
		if err != nil {
			return nil, err
		}
		known := append([]*reposerver.ParameterAnnouncement{}, response.ParameterAnnouncements...)
		return map[string]any{"parameterAnnouncements": known}, nil
	}
}

func main() {
	os.Exit(run())
}

func run() int {
	flag.Usage = func() { fmt.Fprintln(os.Stderr, usage) }
	timeout := flag.Duration("timeout", 0, "the deadline of the request")
	flag.Parse()
	arguments := flag.Args()
	if len(arguments) < 4 || !strings.Contains(" generate match parameters ", " "+arguments[0]+" ") {
		flag.Usage()
		return 2
	}
	root, err := filepath.Abs(arguments[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	app := arguments[3]
	if !filepath.IsAbs(app) {
		app = filepath.Join(root, app)
	}

	// Argo CD's code removes the archive that it makes, not the temporary folder around it.
	temporary, err := os.MkdirTemp("", "argocd-cmp-client")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer os.RemoveAll(temporary)
	os.Setenv("TMPDIR", temporary)

	ctx := context.Background()
	if *timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, *timeout)
		defer cancel()
	}
	code := 0
	answer, err := ask(ctx, arguments[0], arguments[1], request{root, app, arguments[4:]})
	if err != nil {
		answer, code = map[string]any{"error": status.Convert(err).Message()}, 1
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	return code
}
