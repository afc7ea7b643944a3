package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

var informerChecks = []check{
	{"informers", typedInformers},
	{"informers-that-lose-their-connection", brokenInformers},
	{"dynamic-informers", dynamicInformers},
	{"retry-watcher", retryWatcher},
	{"watch-from-too-long-ago", expiredWatch},
	{"informers-from-too-long-ago", expiredInformer},
	{"bookmarks", bookmarks},
}

// tally counts what handlers were told.
type tally struct{ added, updated, resynced, deleted atomic.Int32 }

func (t *tally) handler() cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { t.added.Add(1) },
		UpdateFunc: func(before, after any) {
			if before.(metav1.Object).GetResourceVersion() == after.(metav1.Object).GetResourceVersion() {
				t.resynced.Add(1)
			} else {
				t.updated.Add(1)
			}
		},
		DeleteFunc: func(any) { t.deleted.Add(1) },
	}
}

func typedInformers(ctx context.Context, s *scene) error {
	maps := s.client.CoreV1().ConfigMaps(s.namespace)
	if _, err := maps.Create(ctx, configMap("before"), metav1.CreateOptions{}); err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactoryWithOptions(s.client, time.Second, informers.WithNamespace(s.namespace))
	seen := &tally{}
	informer := factory.Core().V1().ConfigMaps()
	informer.Informer().AddEventHandler(seen.handler())
	// Kinds that a controller of Services has.
	for _, other := range []cache.SharedIndexInformer{
		factory.Core().V1().Secrets().Informer(), factory.Core().V1().Pods().Informer(),
		factory.Core().V1().Services().Informer(), factory.Apps().V1().Deployments().Informer(),
		factory.Discovery().V1().EndpointSlices().Informer(), factory.Batch().V1().Jobs().Informer(),
		factory.Rbac().V1().Roles().Informer(), factory.Coordination().V1().Leases().Informer(),
		factory.Autoscaling().V2().HorizontalPodAutoscalers().Informer(),
	} {
		_ = other
	}
	factory.Start(ctx.Done())
	for kind, isSynced := range factory.WaitForCacheSync(ctx.Done()) {
		if !isSynced {
			return fmt.Errorf("%v is not synced", kind)
		}
	}
	made, err := maps.Create(ctx, configMap("after"), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Data["key"] = "second"
	if _, err = maps.Update(ctx, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	if err = maps.Delete(ctx, "before", metav1.DeleteOptions{}); err != nil {
		return err
	}
	err = eventually(ctx, "every change is told", func() bool {
		return seen.added.Load() >= 2 && seen.updated.Load() >= 1 && seen.deleted.Load() == 1 && seen.resynced.Load() > 0
	})
	if err != nil {
		return err
	}
	left, err := informer.Lister().ConfigMaps(s.namespace).List(labels.SelectorFromSet(labels.Set{"name": "after"}))
	if err != nil {
		return err
	}
	return expect("the cache holds the newest", len(left) == 1 && left[0].Data["key"] == "second", left)
}

// Watches that break again and again lose nothing: the cache ends up as a list is.
func brokenInformers(ctx context.Context, s *scene) error {
	const objects = 30
	maps := s.client.CoreV1().ConfigMaps(s.namespace)
	watching, err := newScene()
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactoryWithOptions(watching.client, 0, informers.WithNamespace(s.namespace))
	informer := factory.Core().V1().ConfigMaps()
	informer.Informer()
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	for at := range objects {
		if _, err := maps.Create(ctx, configMap(fmt.Sprint("one-", at)), metav1.CreateOptions{}); err != nil {
			return err
		}
		if at%10 == 5 {
			watching.connections.breakAll()
		}
		if at%3 == 0 {
			if err := maps.Delete(ctx, fmt.Sprint("one-", at), metav1.DeleteOptions{}); err != nil {
				return err
			}
		}
	}
	return eventually(ctx, "the cache is what a list is", func() bool {
		listed, err := maps.List(ctx, metav1.ListOptions{LabelSelector: "name"})
		held, heldErr := informer.Lister().List(labels.Everything())
		if err != nil || heldErr != nil {
			return false
		}
		versions := map[string]string{}
		for _, one := range held {
			versions[one.Name] = one.ResourceVersion
		}
		for _, one := range listed.Items {
			if versions[one.Name] != one.ResourceVersion {
				return false
			}
		}
		return len(listed.Items) == objects*2/3
	})
}

func dynamicInformers(ctx context.Context, s *scene) error {
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(s.dynamic, 0, s.namespace, nil)
	metadataClient, err := metadata.NewForConfig(s.config)
	if err != nil {
		return err
	}
	partial := metadatainformer.NewFilteredSharedInformerFactory(metadataClient, 0, s.namespace, nil)
	whole, onlyMetadata := &tally{}, &tally{}
	factory.ForResource(services).Informer().AddEventHandler(whole.handler())
	factory.ForResource(revisions).Informer()
	factory.ForResource(configMaps).Informer()
	partial.ForResource(services).Informer().AddEventHandler(onlyMetadata.handler())
	factory.Start(ctx.Done())
	partial.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	partial.WaitForCacheSync(ctx.Done())
	client := s.dynamic.Resource(services).Namespace(s.namespace)
	if _, err := client.Create(ctx, knativeService("watched"), metav1.CreateOptions{}); err != nil {
		return err
	}
	err = eventually(ctx, "a Service and what becomes of it", func() bool {
		return whole.added.Load() == 1 && whole.updated.Load() > 0 && onlyMetadata.added.Load() == 1 && onlyMetadata.updated.Load() > 0
	})
	if err != nil {
		return err
	}
	if err := client.Delete(ctx, "watched", metav1.DeleteOptions{}); err != nil {
		return err
	}
	return eventually(ctx, "its end", func() bool { return whole.deleted.Load() == 1 && onlyMetadata.deleted.Load() == 1 })
}

// A watch that goes on after its connection broke, from where it was.
func retryWatcher(ctx context.Context, s *scene) error {
	const objects = 12
	maps := s.client.CoreV1().ConfigMaps(s.namespace)
	start, err := maps.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	watching, err := newScene()
	if err != nil {
		return err
	}
	lister := cache.NewFilteredListWatchFromClient(watching.client.CoreV1().RESTClient(), "configmaps", s.namespace, func(*metav1.ListOptions) {})
	watcher, err := watchtools.NewRetryWatcher(start.ResourceVersion, lister)
	if err != nil {
		return err
	}
	defer watcher.Stop()
	var mutex sync.Mutex
	seen := []string{}
	go func() {
		for event := range watcher.ResultChan() {
			if one, isMap := event.Object.(*corev1.ConfigMap); isMap && event.Type == watch.Added && one.Labels["name"] != "" {
				mutex.Lock()
				seen = append(seen, one.Name)
				mutex.Unlock()
			}
		}
	}()
	for at := range objects {
		if _, err := maps.Create(ctx, configMap(fmt.Sprint("one-", at)), metav1.CreateOptions{}); err != nil {
			return err
		}
		if at%4 == 3 {
			watching.connections.breakAll()
		}
	}
	err = eventually(ctx, "all are told", func() bool {
		mutex.Lock()
		defer mutex.Unlock()
		return len(seen) >= objects
	})
	return errors.Join(err, expect("each once, in order", len(seen) == objects && seen[objects-1] == fmt.Sprint("one-", objects-1), seen))
}

func expiredWatch(ctx context.Context, s *scene) error {
	watcher, err := s.client.CoreV1().ConfigMaps(s.namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: "1"})
	if err != nil {
		return err
	}
	defer watcher.Stop()
	select {
	case event := <-watcher.ResultChan():
		problem := apierrors.FromObject(event.Object)
		return expect("410 Expired", event.Type == watch.Error && apierrors.IsResourceExpired(problem), event)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// An informer whose first watch begins too long ago lists again by itself, and goes on.
func expiredInformer(ctx context.Context, s *scene) error {
	maps := s.client.CoreV1().ConfigMaps(s.namespace)
	lists := atomic.Int32{}
	source := &cache.ListWatch{
		ListFunc: func(options metav1.ListOptions) (runtime.Object, error) {
			listed, err := maps.List(ctx, options)
			if err == nil && lists.Add(1) == 1 {
				listed.ResourceVersion = "1"
			}
			return listed, err
		},
		WatchFunc: func(options metav1.ListOptions) (watch.Interface, error) {
			// Streamed lists would have no version to go wrong.
			if options.SendInitialEvents != nil {
				return nil, apierrors.NewInvalid(corev1.SchemeGroupVersion.WithKind("List").GroupKind(), "", nil)
			}
			return maps.Watch(ctx, options)
		},
	}
	informer := cache.NewSharedInformer(source, &corev1.ConfigMap{}, 0)
	seen := &tally{}
	if _, err := informer.AddEventHandler(seen.handler()); err != nil {
		return err
	}
	go informer.Run(ctx.Done())
	if err := eventually(ctx, "it lists again", func() bool { return lists.Load() >= 2 }); err != nil {
		return err
	}
	if _, err := maps.Create(ctx, configMap("one"), metav1.CreateOptions{}); err != nil {
		return err
	}
	return eventually(ctx, "it sees what is new", func() bool {
		_, isHeld, err := informer.GetStore().GetByKey(s.namespace + "/one")
		return err == nil && isHeld
	})
}

func bookmarks(ctx context.Context, s *scene) error {
	seconds := int64(3)
	options := metav1.ListOptions{AllowWatchBookmarks: true, TimeoutSeconds: &seconds}
	watcher, err := s.client.CoreV1().ConfigMaps(s.namespace).Watch(ctx, options)
	if err != nil {
		return err
	}
	defer watcher.Stop()
	for event := range watcher.ResultChan() {
		if event.Type == watch.Bookmark {
			return nil
		}
	}
	return errors.New("the watch ended without a bookmark")
}
