/**
 * kubectl of several years, each built from its own release: what they all do is in transcripts that hold for all of
 * them. What kubectl 1.32 prints is held to recordings besides (`test/oracle/kubectl`).
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { TestPlatform } from '#testing/platform.ts';
import { NEW_KUBECTL, OLD_KUBECTL } from '../../scripts/clients/catalogue.ts';
import { needsClient, pathWith, PLAIN_URLS } from './clients.ts';
import { playTranscript } from './transcript.ts';

const COMMON = ['apply.txt', 'knative.txt', 'tour.txt'];
const RUNS = [
  // It enters containers over SPDY only.
  { client: OLD_KUBECTL, transcripts: COMMON },
  { client: NEW_KUBECTL, transcripts: [...COMMON, 'exec.txt'] },
];

for (const { client, transcripts } of RUNS) {
  test(client.name, needsClient(client, 'root', 'runc', 'compiler'), async (t) => {
    await using platform = await TestPlatform.start({ images: ['test/app:1', 'test/app:2'] });
    await platform.configure('config-network', PLAIN_URLS);
    for (const file of transcripts) {
      const text = readFileSync(path.join(import.meta.dirname, 'kubectl', file), 'utf8');
      await t.test(file, async () => {
        const differences = await playTranscript(text, platform, { PATH: pathWith(client) });
        assert.equal(differences.join('\n'), '');
      });
    }
  });
}
