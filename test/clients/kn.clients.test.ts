/**
 * Knative's own command line, unmodified, on a platform with real containers: every transcript in `kn/` line by line.
 * Those of one platform run one after another, in its namespace `default`, which each leaves empty.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { TestPlatform } from '#testing/platform.ts';
import { KN } from '../../scripts/clients/catalogue.ts';
import { needsClient, pathWith, PLAIN_URLS } from './clients.ts';
import { playTranscript } from './transcript.ts';

/** Domains need no claims made by hand. */
const NETWORK = { ...PLAIN_URLS, 'autocreate-cluster-domain-claims': 'true' };
const TRANSCRIPTS = path.join(import.meta.dirname, 'kn');

test('kn, as people use it', needsClient(KN, 'root', 'runc', 'compiler'), async (t) => {
  await using platform = await TestPlatform.start({ images: ['test/app:1', 'test/app:2'] });
  await platform.configure('config-network', NETWORK);
  for (const file of readdirSync(TRANSCRIPTS).sort()) {
    const text = readFileSync(path.join(TRANSCRIPTS, file), 'utf8');
    await t.test(file, async () => {
      const differences = await playTranscript(text, platform, { PATH: pathWith(KN) });
      assert.equal(differences.join('\n'), '');
    });
  }
});
