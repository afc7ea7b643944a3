import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate } from '#base/gate.ts';

const forever = new AbortController().signal;

test('a gate lets few through at a time, in order, and turns away when its queue is full', async () => {
  const gate = new Gate({ width: 1, maxWaiting: 2, onFull: () => new Error('full') });
  const order: string[] = [];
  const enter = async (who: string, signal = forever) => {
    const place = await gate.enter(signal);
    order.push(who);
    return place;
  };
  const first = await enter('first');
  const impatient = new AbortController();
  const second = enter('second', impatient.signal).catch((error: unknown) => error);
  const third = enter('third');
  await assert.rejects(enter('fourth'), /full/);
  const reason = new Error('enough');
  impatient.abort(reason);
  assert.equal(await second, reason);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  (await third)[Symbol.dispose]();
  (await enter('fifth'))[Symbol.dispose]();
  assert.deepEqual(order, ['first', 'third', 'fifth']);
});
