package main

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	authv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	applycorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/pager"
	"k8s.io/client-go/util/retry"
)

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

var objectChecks = []check{
	{"typed-objects", typedObjects},
	{"errors", typedErrors},
	{"patches", patches},
	{"server-side-apply", serverSideApply},
	{"retry-on-conflict", retryOnConflict},
	{"dynamic-objects", dynamicObjects},
	{"metadata-only", metadataOnly},
	{"pages", pages},
	{"deployments", deployments},
	{"events", recordedEvents},
	{"access-review", accessReview},
}

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"name": name}},
		Data:       map[string]string{"key": "first"},
	}
}

func typedObjects(ctx context.Context, s *scene) error {
	maps := s.client.CoreV1().ConfigMaps(s.namespace)
	made, err := maps.Create(ctx, configMap("one"), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Data["key"] = "second"
	made.BinaryData = map[string][]byte{"bytes": {0, 255}}
	if made, err = maps.Update(ctx, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	read, err := maps.Get(ctx, "one", metav1.GetOptions{})
	if err != nil {
		return err
	}
	isSame := read.ResourceVersion == made.ResourceVersion && read.Data["key"] == "second" && read.BinaryData["bytes"][1] == 255
	if err := expect("what was written is read", isSame, read); err != nil {
		return err
	}
	listed, err := maps.List(ctx, metav1.ListOptions{LabelSelector: "name=one", FieldSelector: "metadata.name=one"})
	if err != nil {
		return err
	}
	if err := expect("one is listed", len(listed.Items) == 1 && listed.ResourceVersion != "", listed); err != nil {
		return err
	}
	uid := made.UID
	return maps.Delete(ctx, "one", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
}

func typedErrors(ctx context.Context, s *scene) error {
	maps := s.client.CoreV1().ConfigMaps(s.namespace)
	_, missing := maps.Get(ctx, "nobody", metav1.GetOptions{})
	made, err := maps.Create(ctx, configMap("one"), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	_, twice := maps.Create(ctx, configMap("one"), metav1.CreateOptions{})
	if _, err = maps.Update(ctx, made.DeepCopy(), metav1.UpdateOptions{}); err != nil {
		return err
	}
	changed := made.DeepCopy()
	changed.Data["key"] = "other"
	if _, err = maps.Update(ctx, changed, metav1.UpdateOptions{}); err != nil {
		return err
	}
	_, stale := maps.Update(ctx, changed, metav1.UpdateOptions{})
	_, invalid := maps.Create(ctx, configMap("Upper"), metav1.CreateOptions{})
	uid := types.UID("another")
	wrongOne := maps.Delete(ctx, "one", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
	_, noSpace := s.client.CoreV1().ConfigMaps("nowhere").Create(ctx, configMap("one"), metav1.CreateOptions{})
	_, unknown := s.dynamic.Resource(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "nothings"}).List(ctx, metav1.ListOptions{})
	return errors.Join(
		expect("not found", apierrors.IsNotFound(missing), missing),
		expect("already exists", apierrors.IsAlreadyExists(twice), twice),
		expect("conflict", apierrors.IsConflict(stale), stale),
		expect("invalid", apierrors.IsInvalid(invalid), invalid),
		expect("precondition", apierrors.IsConflict(wrongOne), wrongOne),
		expect("no namespace", apierrors.IsNotFound(noSpace), noSpace),
		expect("no such resource", apierrors.IsNotFound(unknown), unknown),
	)
}

func patches(ctx context.Context, s *scene) error {
	maps := s.client.CoreV1().ConfigMaps(s.namespace)
	if _, err := maps.Create(ctx, configMap("one"), metav1.CreateOptions{}); err != nil {
		return err
	}
	for kind, body := range map[types.PatchType]string{
		types.JSONPatchType:           `[{"op":"add","path":"/data/json","value":"yes"}]`,
		types.MergePatchType:          `{"data":{"merge":"yes"}}`,
		types.StrategicMergePatchType: `{"data":{"strategic":"yes"}}`,
	} {
		if _, err := maps.Patch(ctx, "one", kind, []byte(body), metav1.PatchOptions{}); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	read, err := maps.Get(ctx, "one", metav1.GetOptions{})
	if err != nil {
		return err
	}
	return expect("all three are in it", len(read.Data) == 4, read.Data)
}

func serverSideApply(ctx context.Context, s *scene) error {
	maps := s.client.CoreV1().ConfigMaps(s.namespace)
	wanted := func(value string) *applycorev1.ConfigMapApplyConfiguration {
		return applycorev1.ConfigMap("one", s.namespace).WithData(map[string]string{"key": value})
	}
	if _, err := maps.Apply(ctx, wanted("a"), metav1.ApplyOptions{FieldManager: "first"}); err != nil {
		return err
	}
	_, contested := maps.Apply(ctx, wanted("b"), metav1.ApplyOptions{FieldManager: "second"})
	if err := expect("a conflict", apierrors.IsConflict(contested), contested); err != nil {
		return err
	}
	forced, err := maps.Apply(ctx, wanted("b"), metav1.ApplyOptions{FieldManager: "second", Force: true})
	if err != nil {
		return err
	}
	if err := expect("forced", forced.Data["key"] == "b", forced.Data); err != nil {
		return err
	}
	// What it owns, and nothing else, as controllers read it back.
	owned, err := applycorev1.ExtractConfigMap(forced, "second")
	if err != nil {
		return err
	}
	return expect("it owns its key", owned.Data["key"] == "b", owned.Data)
}

func retryOnConflict(ctx context.Context, s *scene) error {
	maps := s.client.CoreV1().ConfigMaps(s.namespace)
	if _, err := maps.Create(ctx, configMap("one"), metav1.CreateOptions{}); err != nil {
		return err
	}
	const writers = 4
	results := make(chan error, writers)
	for writer := range writers {
		go func() {
			results <- retry.RetryOnConflict(retry.DefaultBackoff, func() error {
				read, err := maps.Get(ctx, "one", metav1.GetOptions{})
				if err != nil {
					return err
				}
				read.Data[fmt.Sprint(writer)] = "here"
				_, err = maps.Update(ctx, read, metav1.UpdateOptions{})
				return err
			})
		}()
	}
	for range writers {
		if err := <-results; err != nil {
			return err
		}
	}
	read, err := maps.Get(ctx, "one", metav1.GetOptions{})
	if err != nil {
		return err
	}
	return expect("nobody's write is lost", len(read.Data) == writers+1, read.Data)
}

func dynamicObjects(ctx context.Context, s *scene) error {
	maps := s.dynamic.Resource(configMaps).Namespace(s.namespace)
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"generateName": "made-"},
		"data":     map[string]any{"key": "value"},
	}}
	made, err := maps.Create(ctx, object, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	applied, err := maps.Apply(ctx, made.GetName(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": made.GetName()},
		"data":     map[string]any{"more": "value"},
	}}, metav1.ApplyOptions{FieldManager: "dynamic"})
	if err != nil {
		return err
	}
	fields, _, err := unstructured.NestedStringMap(applied.Object, "data")
	if err != nil {
		return err
	}
	if err := expect("both keys", len(fields) == 2, fields); err != nil {
		return err
	}
	return maps.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
}

func metadataOnly(ctx context.Context, s *scene) error {
	if _, err := s.client.CoreV1().ConfigMaps(s.namespace).Create(ctx, configMap("one"), metav1.CreateOptions{}); err != nil {
		return err
	}
	client, err := metadata.NewForConfig(s.config)
	if err != nil {
		return err
	}
	maps := client.Resource(configMaps).Namespace(s.namespace)
	listed, err := maps.List(ctx, metav1.ListOptions{LabelSelector: "name=one"})
	if err != nil {
		return err
	}
	if err := expect("one, with its labels", len(listed.Items) == 1 && listed.Items[0].Labels["name"] == "one", listed); err != nil {
		return err
	}
	patched, err := maps.Patch(ctx, "one", types.MergePatchType, []byte(`{"metadata":{"labels":{"more":"yes"}}}`), metav1.PatchOptions{})
	if err != nil {
		return err
	}
	return expect("a new label", patched.Labels["more"] == "yes", patched.Labels)
}

func pages(ctx context.Context, s *scene) error {
	const objects, size = 23, 5
	maps := s.client.CoreV1().ConfigMaps(s.namespace)
	for at := range objects {
		if _, err := maps.Create(ctx, configMap(fmt.Sprintf("one-%02d", at)), metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	requests := 0
	byPage := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		requests++
		return maps.List(ctx, options)
	})
	byPage.PageSize = size
	seen := map[string]bool{}
	err := byPage.EachListItem(ctx, metav1.ListOptions{LabelSelector: "name"}, func(object runtime.Object) error {
		seen[object.(*corev1.ConfigMap).Name] = true
		return nil
	})
	if err != nil {
		return err
	}
	return expect("all, in five requests", len(seen) == objects && requests == 5, fmt.Sprint(len(seen), " in ", requests))
}

func deployments(ctx context.Context, s *scene) error {
	wanted := deploymentOf(0)
	client := s.client.AppsV1().Deployments(s.namespace)
	if _, err := client.Create(ctx, wanted, metav1.CreateOptions{}); err != nil {
		return err
	}
	// Its controller writes at the same time.
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		scale, err := client.GetScale(ctx, wanted.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		scale.Spec.Replicas = 2
		_, err = client.UpdateScale(ctx, wanted.Name, scale, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		return err
	}
	err = eventually(ctx, "two available pods", func() bool {
		read, err := client.Get(ctx, wanted.Name, metav1.GetOptions{})
		return err == nil && read.Status.AvailableReplicas == 2 && read.Status.ObservedGeneration == read.Generation
	})
	if err != nil {
		return err
	}
	foreground := metav1.DeletePropagationForeground
	if err = client.Delete(ctx, wanted.Name, metav1.DeleteOptions{PropagationPolicy: &foreground}); err != nil {
		return err
	}
	return eventually(ctx, "gone with its pods", func() bool {
		_, err := client.Get(ctx, wanted.Name, metav1.GetOptions{})
		pods, listErr := s.client.CoreV1().Pods(s.namespace).List(ctx, metav1.ListOptions{})
		return apierrors.IsNotFound(err) && listErr == nil && len(pods.Items) == 0
	})
}

func deploymentOf(replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": "web"}
	grace := int64(0)
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{TerminationGracePeriodSeconds: &grace, Containers: []corev1.Container{appContainer()}},
			},
		},
	}
}

func appContainer() corev1.Container {
	return corev1.Container{Name: "app", Image: "test/app:1", ImagePullPolicy: corev1.PullIfNotPresent}
}

func recordedEvents(ctx context.Context, s *scene) error {
	made, err := s.client.CoreV1().ConfigMaps(s.namespace).Create(ctx, configMap("one"), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: s.client.EventsV1()})
	defer broadcaster.Shutdown()
	if err := broadcaster.StartRecordingToSinkWithContext(ctx); err != nil {
		return err
	}
	recorder := broadcaster.NewRecorder(scheme.Scheme, "client-go-check")
	recorder.Eventf(made, nil, corev1.EventTypeNormal, "Checked", "Checking", "it was %s", "seen")
	return eventually(ctx, "the event is there, in both API groups", func() bool {
		listed, err := s.client.CoreV1().Events(s.namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=one"})
		return err == nil && len(listed.Items) == 1 && listed.Items[0].Message == "it was seen"
	})
}

func accessReview(ctx context.Context, s *scene) error {
	review := &authv1.SelfSubjectAccessReview{Spec: authv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authv1.ResourceAttributes{Namespace: s.namespace, Verb: "create", Resource: "configmaps"},
	}}
	answer, err := s.client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	return expect("the administrator may", answer.Status.Allowed, answer.Status)
}
