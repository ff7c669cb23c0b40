// A client of CLB that nobody here wrote the signing and parsing of: Tencent Cloud's SDK for Go.
//
// clb-go ENDPOINT SECRET-ID SECRET-KEY LOAD-BALANCER [GET]
//
// It takes one target through its life on a new listener, and prints one JSON object per step.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	clb "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/clb/v20180317"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
)

var (
	client *clb.Client
	lb     *string
)

func say(step string, value any, err error) {
	code, message := "", ""
	if failure, ok := err.(*errors.TencentCloudSDKError); ok {
		code, message = failure.GetCode(), failure.GetMessage()
	} else if err != nil {
		message = err.Error()
	}
	line, err := json.Marshal(map[string]any{
		"step": step, "value": value, "code": code, "message": message,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

// Waits for the end of an asynchronous task, and gives its status.
func finished(task *string) int64 {
	for range 200 {
		request := clb.NewDescribeTaskStatusRequest()
		request.TaskId = task
		reply, err := client.DescribeTaskStatus(request)
		if err != nil {
			say("wait", nil, err)
			os.Exit(1)
		}
		if *reply.Response.Status != 2 {
			return *reply.Response.Status
		}
		time.Sleep(10 * time.Millisecond)
	}
	return 2
}

func createListener() *string {
	request := clb.NewCreateListenerRequest()
	request.LoadBalancerId = lb
	request.Ports = common.Int64Ptrs([]int64{9000})
	request.Protocol = common.StringPtr("TCP")
	request.ListenerNames = common.StringPtrs([]string{"from Go: 监听器"})
	reply, err := client.CreateListener(request)
	if err != nil {
		say("create", nil, err)
		os.Exit(1)
	}
	say("create", finished(reply.Response.RequestId), nil)
	return reply.Response.ListenerIds[0]
}

func batch(listener *string) []*clb.BatchTarget {
	return []*clb.BatchTarget{{
		ListenerId: listener,
		Port:       common.Int64Ptr(80),
		EniIp:      common.StringPtr("10.0.0.1"),
	}}
}

func register(listener *string) {
	request := clb.NewBatchRegisterTargetsRequest()
	request.LoadBalancerId = lb
	request.Targets = batch(listener)
	reply, err := client.BatchRegisterTargets(request)
	say("register", reply.Response.FailListenerIdSet, err)
}

func health() {
	request := clb.NewDescribeTargetHealthRequest()
	request.LoadBalancerIds = []*string{lb}
	reply, err := client.DescribeTargetHealth(request)
	say("health", reply.Response.LoadBalancers, err)
}

func weightZero(listener *string) {
	request := clb.NewBatchModifyTargetWeightRequest()
	request.LoadBalancerId = lb
	request.ModifyList = []*clb.RsWeightRule{{
		ListenerId: listener,
		Weight:     common.Int64Ptr(0),
		Targets: []*clb.Target{{
			EniIp: common.StringPtr("10.0.0.1"),
			Port:  common.Int64Ptr(80),
		}},
	}}
	reply, err := client.BatchModifyTargetWeight(request)
	if err != nil {
		say("weight", nil, err)
		os.Exit(1)
	}
	say("weight", finished(reply.Response.RequestId), nil)
}

func targets(listener *string) {
	request := clb.NewDescribeTargetsRequest()
	request.LoadBalancerId = lb
	request.ListenerIds = []*string{listener}
	reply, err := client.DescribeTargets(request)
	say("targets", reply.Response.Listeners[0].Targets, err)
}

func deregister(listener *string) {
	request := clb.NewBatchDeregisterTargetsRequest()
	request.LoadBalancerId = lb
	request.Targets = batch(listener)
	reply, err := client.BatchDeregisterTargets(request)
	say("deregister", reply.Response.FailListenerIdSet, err)
}

func unknown() {
	request := clb.NewDescribeTargetsRequest()
	request.LoadBalancerId = common.StringPtr("lb-unknown")
	_, err := client.DescribeTargets(request)
	say("unknown", nil, err)
}

func main() {
	settings := profile.NewClientProfile()
	settings.HttpProfile.Endpoint = os.Args[1]
	settings.HttpProfile.Scheme = "HTTP"
	settings.Language = "en-US"
	if len(os.Args) > 5 {
		settings.HttpProfile.ReqMethod = os.Args[5]
	}
	lb = &os.Args[4]
	made, err := clb.NewClient(
		common.NewCredential(os.Args[2], os.Args[3]), "ap-guangzhou", settings)
	if err != nil {
		panic(err)
	}
	client = made
	listener := createListener()
	register(listener)
	health()
	weightZero(listener)
	targets(listener)
	deregister(listener)
	targets(listener)
	unknown()
}
