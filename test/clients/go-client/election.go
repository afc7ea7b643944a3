package main

import (
	"context"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

var electionChecks = []check{{"leader-election", electLeaders}}

type candidate struct {
	leads  atomic.Bool
	resign context.CancelFunc
}

// One leads, the other follows when it resigns, and again when it falls silent.
func electLeaders(ctx context.Context, s *scene) error {
	first, second, third := s.stand(ctx, "first", true), &candidate{}, &candidate{}
	if err := eventually(ctx, "the first leads", first.leads.Load); err != nil {
		return err
	}
	second = s.stand(ctx, "second", false)
	time.Sleep(time.Second)
	if err := expect("only one leads", first.leads.Load() && !second.leads.Load(), nil); err != nil {
		return err
	}
	first.resign()
	if err := eventually(ctx, "the second leads", second.leads.Load); err != nil {
		return err
	}
	second.resign()
	third = s.stand(ctx, "third", true)
	defer third.resign()
	if err := eventually(ctx, "the third leads once the second's lease is over", third.leads.Load); err != nil {
		return err
	}
	lease, err := s.client.CoordinationV1().Leases(s.namespace).Get(ctx, "lock", metav1.GetOptions{})
	if err != nil {
		return err
	}
	return expect("its Lease says so", *lease.Spec.HolderIdentity == "third" && *lease.Spec.LeaseTransitions >= 2, lease.Spec)
}

func (s *scene) stand(ctx context.Context, name string, releases bool) *candidate {
	own, resign := context.WithCancel(ctx)
	one := &candidate{resign: resign}
	lock := &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: s.namespace, Name: "lock"},
		Client:     s.client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: name},
	}
	go leaderelection.RunOrDie(own, leaderelection.LeaderElectionConfig{
		Lock: lock, ReleaseOnCancel: releases,
		LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { one.leads.Store(true) },
			OnStoppedLeading: func() { one.leads.Store(false) },
		},
	})
	return one
}
