// What programs on client-go do against an API server, each thing a named check. Built twice, with client-go 0.31, which
// speaks JSON, and with 0.35, which speaks protobuf for built-in kinds (client-go-0.35.mod).
//
//	client-go NAME...   runs those, or all; prints `ok NAME` or `failed NAME: why` for each
//
// KUBECONFIG leads to the server. Every check has a namespace of its own.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

const checkLimit = 60 * time.Second

type scene struct {
	config      *rest.Config
	connections *connections
	client      *kubernetes.Clientset
	dynamic     *dynamic.DynamicClient
	namespace   string
}

type check struct {
	name string
	run  func(context.Context, *scene) error
}

func main() {
	failed := false
	for _, one := range checks() {
		if len(os.Args) > 1 && !slices.Contains(os.Args[1:], one.name) {
			continue
		}
		if err := runAlone(one); err != nil {
			failed = true
			fmt.Printf("failed %s: %v\n", one.name, err)
		} else {
			fmt.Printf("ok %s\n", one.name)
		}
	}
	if failed {
		os.Exit(1)
	}
}

func checks() []check {
	return slices.Concat(objectChecks, discoveryChecks, informerChecks, electionChecks, podChecks, knativeChecks)
}

func runAlone(one check) error {
	ctx, cancel := context.WithTimeout(context.Background(), checkLimit)
	defer cancel()
	s, err := newScene()
	if err != nil {
		return err
	}
	space := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "client-go-"}}
	if space, err = s.client.CoreV1().Namespaces().Create(ctx, space, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("namespace: %w", err)
	}
	s.namespace = space.Name
	defer s.client.CoreV1().Namespaces().Delete(context.Background(), space.Name, metav1.DeleteOptions{})
	return one.run(ctx, s)
}

func newScene() (*scene, error) {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return nil, err
	}
	open := &connections{}
	config.Dial = open.dial
	config.QPS = 200
	config.Burst = 400
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	dynamicClient, err := dynamic.NewForConfig(config)
	return &scene{config: config, connections: open, client: client, dynamic: dynamicClient}, err
}

// connections of the scene's clients, so that a check can break them all at once.
type connections struct {
	mutex sync.Mutex
	open  []net.Conn
}

func (c *connections) dial(ctx context.Context, network, address string) (net.Conn, error) {
	made, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err == nil {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		c.open = append(c.open, made)
	}
	return made, err
}

func (c *connections) breakAll() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, one := range c.open {
		one.Close()
	}
	c.open = nil
}

func eventually(ctx context.Context, what string, condition func() bool) error {
	err := wait.PollUntilContextCancel(ctx, 20*time.Millisecond, true, func(context.Context) (bool, error) {
		return condition(), nil
	})
	if err != nil {
		return fmt.Errorf("%s did not come true: %w", what, err)
	}
	return nil
}

func expect(what string, isTrue bool, seen any) error {
	if isTrue {
		return nil
	}
	return fmt.Errorf("%s; seen: %v", what, seen)
}
