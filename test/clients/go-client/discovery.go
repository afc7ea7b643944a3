package main

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/restmapper"
)

var discoveryChecks = []check{
	{"discovery", discover},
	{"rest-mapper", mapKinds},
}

func discover(_ context.Context, s *scene) error {
	client := discovery.NewDiscoveryClientForConfigOrDie(s.config)
	version, err := client.ServerVersion()
	if err != nil {
		return err
	}
	groups, resources, err := client.ServerGroupsAndResources()
	if err != nil {
		return err
	}
	// The same without aggregated discovery, as older programs ask.
	legacy := discovery.NewDiscoveryClientForConfigOrDie(s.config).WithLegacy()
	legacyGroups, legacyResources, err := legacy.ServerGroupsAndResources()
	if err != nil {
		return err
	}
	document, err := client.OpenAPISchema()
	if err != nil {
		return err
	}
	paths, err := client.OpenAPIV3().Paths()
	if err != nil {
		return err
	}
	return errors.Join(
		expect("a version", version.Major == "1", version),
		expect("groups both ways", len(groups) > 5 && len(groups) == len(legacyGroups), len(groups)),
		expect("resources both ways", len(resources) == len(legacyResources), len(legacyResources)),
		expect("OpenAPI v2", len(document.GetDefinitions().GetAdditionalProperties()) > 100, document.GetInfo()),
		expect("OpenAPI v3", paths["apis/serving.knative.dev/v1"] != nil, len(paths)),
	)
}

func mapKinds(_ context.Context, s *scene) error {
	cached := memory.NewMemCacheClient(discovery.NewDiscoveryClientForConfigOrDie(s.config))
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(cached)
	short := restmapper.NewShortcutExpander(mapper, cached, func(string) {})
	kind, err := short.KindFor(schema.GroupVersionResource{Resource: "ksvc"})
	if err != nil {
		return err
	}
	mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "serving.knative.dev", Kind: "Service"})
	if err != nil {
		return err
	}
	preferred, err := discovery.ServerPreferredNamespacedResources(cached)
	if err != nil {
		return err
	}
	deletable := discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list", "watch", "delete"}}, preferred)
	cached.Invalidate()
	return errors.Join(
		expect("ksvc", kind == schema.GroupVersionKind{Group: "serving.knative.dev", Version: "v1", Kind: "Service"}, kind),
		expect("services", mapping.Resource.Resource == "services" && mapping.Scope.Name() == "namespace", mapping),
		expect("kinds that a garbage collector would watch", len(deletable) > 3, deletable),
	)
}
