package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
)

var podChecks = []check{
	{"pod-exec-and-logs", execAndLogs},
	{"service-account-token", serviceAccountToken},
}

func execAndLogs(ctx context.Context, s *scene) error {
	grace := int64(0)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "one"},
		Spec:       corev1.PodSpec{TerminationGracePeriodSeconds: &grace, Containers: []corev1.Container{appContainer()}},
	}
	pod.Spec.Containers[0].Args = []string{"lines", "3"}
	pods := s.client.CoreV1().Pods(s.namespace)
	if _, err := pods.Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		return err
	}
	err := eventually(ctx, "it runs", func() bool {
		read, err := pods.Get(ctx, "one", metav1.GetOptions{})
		return err == nil && read.Status.Phase == corev1.PodRunning
	})
	if err != nil {
		return err
	}
	stream, err := pods.GetLogs("one", &corev1.PodLogOptions{Follow: true}).Stream(ctx)
	if err != nil {
		return err
	}
	defer stream.Close()
	first := make([]byte, len("line 1"))
	if _, err := io.ReadFull(stream, first); err != nil {
		return err
	}
	said, err := s.exec(ctx, "one", strings.NewReader("over and back\n"), "/app", "cat")
	failed, failure := s.exec(ctx, "one", nil, "/app", "fail", "7")
	status := interface{ ExitStatus() int }(nil)
	hasStatus := errors.As(failure, &status)
	return errors.Join(
		err,
		expect("its log", string(first) == "line 1", string(first)),
		expect("what was sent came back", said == "over and back\n", said),
		expect("an exit code", hasStatus && status.ExitStatus() == 7, failed),
	)
}

func (s *scene) exec(ctx context.Context, pod string, input io.Reader, command ...string) (string, error) {
	request := s.client.CoreV1().RESTClient().Post().Resource("pods").Namespace(s.namespace).Name(pod).SubResource("exec")
	options := &corev1.PodExecOptions{Command: command, Stdin: input != nil, Stdout: true, Stderr: true}
	request.VersionedParams(options, scheme.ParameterCodec)
	executor, err := remotecommand.NewWebSocketExecutor(s.config, "GET", request.URL().String())
	if err != nil {
		return "", err
	}
	var output, problems bytes.Buffer
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: input, Stdout: &output, Stderr: &problems})
	return output.String(), err
}

// A program that has nothing but a token, as those in pods.
func serviceAccountToken(ctx context.Context, s *scene) error {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "robot"}}
	if _, err := s.client.CoreV1().ServiceAccounts(s.namespace).Create(ctx, account, metav1.CreateOptions{}); err != nil {
		return err
	}
	issued, err := s.client.CoreV1().ServiceAccounts(s.namespace).CreateToken(ctx, "robot", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	config := rest.AnonymousClientConfig(s.config)
	config.BearerToken = issued.Status.Token
	robot, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	who, err := robot.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	name := who.Status.UserInfo.Username
	return expect("it is the account", name == "system:serviceaccount:"+s.namespace+":robot", name)
}
