package main

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"
	"knative.dev/serving/pkg/client/clientset/versioned"
	"knative.dev/serving/pkg/client/informers/externalversions"
)

var (
	services  = schema.GroupVersionResource{Group: "serving.knative.dev", Version: "v1", Resource: "services"}
	revisions = schema.GroupVersionResource{Group: "serving.knative.dev", Version: "v1", Resource: "revisions"}
)

var knativeChecks = []check{
	{"dynamic-knative-service", dynamicService},
	{"knative-clientset", knativeClientset},
}

func knativeService(name string) *unstructured.Unstructured {
	container := map[string]any{"image": "test/app:1", "imagePullPolicy": "IfNotPresent"}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "serving.knative.dev/v1", "kind": "Service",
		"metadata": map[string]any{"name": name},
		"spec":     map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{container}}}},
	}}
}

func dynamicService(ctx context.Context, s *scene) error {
	client := s.dynamic.Resource(services).Namespace(s.namespace)
	applied, err := client.Apply(ctx, "one", knativeService("one"), metav1.ApplyOptions{FieldManager: "dynamic"})
	if err != nil {
		return err
	}
	if err := expect("generation 1", applied.GetGeneration() == 1, applied.GetGeneration()); err != nil {
		return err
	}
	err = eventually(ctx, "it has a URL", func() bool {
		read, err := client.Get(ctx, "one", metav1.GetOptions{})
		if err != nil {
			return false
		}
		url, _, _ := unstructured.NestedString(read.Object, "status", "url")
		return url != ""
	})
	if err != nil {
		return err
	}
	background := metav1.DeletePropagationBackground
	return client.Delete(ctx, "one", metav1.DeleteOptions{PropagationPolicy: &background})
}

// Knative's own generated client, as the programs that stand on it.
func knativeClientset(ctx context.Context, s *scene) error {
	clients, err := versioned.NewForConfig(s.config)
	if err != nil {
		return err
	}
	serving := clients.ServingV1()
	factory := externalversions.NewSharedInformerFactoryWithOptions(clients, time.Minute, externalversions.WithNamespace(s.namespace))
	lister := factory.Serving().V1().Services().Lister()
	factory.Serving().V1().Services().Informer()
	factory.Serving().V1().Revisions().Informer()
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	wanted := &servingv1.Service{ObjectMeta: metav1.ObjectMeta{Name: "typed"}}
	wanted.Spec.Template.Spec.Containers = []corev1.Container{{Image: "test/app:1", ImagePullPolicy: corev1.PullIfNotPresent}}
	if _, err = serving.Services(s.namespace).Create(ctx, wanted, metav1.CreateOptions{}); err != nil {
		return err
	}
	err = eventually(ctx, "it is ready, by its informer", func() bool {
		read, err := lister.Services(s.namespace).Get("typed")
		return err == nil && read.IsReady()
	})
	if err != nil {
		return err
	}
	made, err := serving.Services(s.namespace).Get(ctx, "typed", metav1.GetOptions{})
	if err != nil {
		return err
	}
	percent := int64(100)
	made.Spec.Traffic = []servingv1.TrafficTarget{{RevisionName: made.Status.LatestReadyRevisionName, Percent: &percent, Tag: "fixed"}}
	if _, err = serving.Services(s.namespace).Update(ctx, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	err = eventually(ctx, "its tag has a URL", func() bool {
		route, err := serving.Routes(s.namespace).Get(ctx, "typed", metav1.GetOptions{})
		return err == nil && len(route.Status.Traffic) == 1 && route.Status.Traffic[0].URL != nil
	})
	if err != nil {
		return err
	}
	listed, err := serving.Revisions(s.namespace).List(ctx, metav1.ListOptions{
		LabelSelector: labels.Set{"serving.knative.dev/service": "typed"}.String(),
	})
	if err != nil {
		return err
	}
	foreground := metav1.DeletePropagationForeground
	problem := serving.Services(s.namespace).Delete(ctx, "typed", metav1.DeleteOptions{PropagationPolicy: &foreground})
	gone := eventually(ctx, "it is gone with its revision", func() bool {
		_, err := serving.Services(s.namespace).Get(ctx, "typed", metav1.GetOptions{})
		left, listErr := serving.Revisions(s.namespace).List(ctx, metav1.ListOptions{})
		return apierrors.IsNotFound(err) && listErr == nil && len(left.Items) == 0
	})
	return errors.Join(problem, gone, expect("one revision", len(listed.Items) == 1, len(listed.Items)))
}
