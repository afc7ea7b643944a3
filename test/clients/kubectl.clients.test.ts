/**
 * kubectl of several years, each built from its own release: what they all do is in transcripts that hold for all of
 * them. What kubectl 1.32 prints is held to recordings besides (`test/oracle/kubectl`).
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { TestPlatform } from '#testing/platform.ts';
import { NEW_KUBECTL, OLD_KUBECTL } from '../../scripts/clients/catalogue.ts';
import { needsClient, pathWith, PLAIN_URLS } from './clients.ts';
import { playTranscript } from './transcript.ts';

const TRANSCRIPTS = path.join(import.meta.dirname, 'kubectl');

// 1.28 enters containers over SPDY, later ones over WebSockets.
for (const client of [OLD_KUBECTL, NEW_KUBECTL]) {
  test(client.name, needsClient(client, 'root', 'runc', 'compiler'), async (t) => {
    await using platform = await TestPlatform.start({ images: ['test/app:1', 'test/app:2'] });
    await platform.configure('config-network', PLAIN_URLS);
    for (const file of readdirSync(TRANSCRIPTS).sort()) {
      const text = readFileSync(path.join(TRANSCRIPTS, file), 'utf8');
      await t.test(file, async () => {
        const differences = await playTranscript(text, platform, { PATH: pathWith(client) });
        assert.equal(differences.join('\n'), '');
      });
    }
  });
}
