/**
 * kubectl of several years, each built from its own release: what they all do is in transcripts that hold for all of
 * them. What kubectl 1.32 prints is held to recordings besides (`test/oracle/kubectl`).
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { TestPlatform } from '#testing/platform.ts';
import { GO_CLIENTS } from '../../scripts/clients/catalogue.ts';
import { needsClient, pathWith, PLAIN_URLS } from './clients.ts';
import { playTranscript } from './transcript.ts';

const COMMON = ['apply.txt', 'knative.txt', 'tour.txt'];
/** 1.28 enters containers over SPDY only. */
const TRANSCRIPTS = { 'kubectl-1.28': COMMON, 'kubectl-1.37': [...COMMON, 'exec.txt'] } as const;

for (const id of ['kubectl-1.28', 'kubectl-1.37'] as const) {
  test(GO_CLIENTS[id].name, needsClient(id, 'root', 'runc', 'compiler'), async (t) => {
    await using platform = await TestPlatform.start({ images: ['test/app:1', 'test/app:2'] });
    await platform.configure('config-network', PLAIN_URLS);
    for (const file of TRANSCRIPTS[id]) {
      const text = readFileSync(path.join(import.meta.dirname, 'kubectl', file), 'utf8');
      await t.test(file, async () => {
        const differences = await playTranscript(text, platform, { PATH: pathWith(id) });
        assert.equal(differences.join('\n'), '');
      });
    }
  });
}
