// The official JavaScript client at work. Run by ../js_client.py, which answers each line "step NAME"
// with a line when it has done its part.
import assert from 'node:assert/strict';
import readline from 'node:readline';
import * as k8s from '@kubernetes/client-node';

const config = new k8s.KubeConfig();
config.loadFromFile(process.env.KUBECONFIG);
const core = config.makeApiClient(k8s.CoreV1Api);
const ns = 'js';
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function step(name) {
  console.log(`step ${name}`);
  await lines.next();
}

async function until(what, probe, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  while (!(await probe())) {
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

async function code(call) {
  try {
    await call();
    return 'no error';
  } catch (error) {
    return error.code;
  }
}

const map = (name, data = {}) => ({ metadata: { name, labels: { app: 'js' } }, data });

async function objects() {
  await core.createNamespace({ body: { metadata: { name: ns } } });
  await core.createNamespacedConfigMap({ namespace: ns, body: map('a', { k: '1', l: '1' }) });
  assert.equal(
    await code(() => core.createNamespacedConfigMap({ namespace: ns, body: map('a') })), 409);
  assert.equal(await code(() => core.readNamespacedConfigMap({ namespace: ns, name: 'z' })), 404);
  // Its typed calls send JSON patches ...
  let got = await core.patchNamespacedConfigMap({
    namespace: ns, name: 'a', body: [{ op: 'replace', path: '/data/k', value: '2' }],
  });
  assert.deepEqual(got.data, { k: '2', l: '1' });
  // ... other kinds when told to ...
  got = await core.patchNamespacedConfigMap(
    { namespace: ns, name: 'a', body: { data: { l: null } } },
    k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.MergePatch));
  assert.deepEqual(got.data, { k: '2' });
  // ... and the object API strategic merge patches.
  const any = k8s.KubernetesObjectApi.makeApiClient(config);
  got = await any.patch({
    apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: ns }, data: { m: '3' },
  });
  assert.deepEqual(got.data, { k: '2', m: '3' });
  got = await core.listNamespacedConfigMap({ namespace: ns, labelSelector: 'app=js' });
  assert.deepEqual(got.items.map((item) => item.metadata.name), ['a']);
}

// A list, then a watch that goes on wherever it broke off; a version that is gone means list again.
async function informer() {
  const seen = [];
  const list = () => core.listNamespacedConfigMap({ namespace: ns, labelSelector: 'app=js' });
  const informer = k8s.makeInformer(
    config, `/api/v1/namespaces/${ns}/configmaps`, list, 'app=js');
  for (const kind of ['add', 'update', 'delete']) {
    informer.on(kind, (item) => seen.push(`${kind} ${item.metadata.name} ${item.data?.k}`));
  }
  informer.on('error', () => setTimeout(() => informer.start(), 200));
  await informer.start();
  await until('the first list', () => seen.includes('add a 2'));
  await core.createNamespacedConfigMap({ namespace: ns, body: map('b', { k: '1' }) });
  await until('an event', () => seen.includes('add b 1'));
  await step('compact');  // the server restarts, and the store forgets what was
  await until('the server', async () => (await code(list)) === 'no error');
  await core.replaceNamespacedConfigMap({ namespace: ns, name: 'b', body: map('b', { k: '2' }) });
  await core.deleteNamespacedConfigMap({ namespace: ns, name: 'a' });
  await until(`what happened since; seen: ${seen}`,
    () => seen.includes('update b 2') && seen.includes('delete a 2'));
  await core.createNamespacedConfigMap({ namespace: ns, body: map('c', { k: '1' }) });
  await until('an event behind the compaction', () => seen.includes('add c 1'));
  assert.deepEqual(informer.list(ns).map((item) => item.metadata.name).sort(), ['b', 'c']);
  await informer.stop();
}

async function customResources() {
  const group = 'js.example.com';
  const version = 'v1';
  const plural = 'widgets';
  const at = { group, version, namespace: ns, plural };
  await config.makeApiClient(k8s.ApiextensionsV1Api).createCustomResourceDefinition({
    body: {
      metadata: { name: `${plural}.${group}` },
      spec: {
        group, scope: 'Namespaced', names: { plural, kind: 'Widget' },
        versions: [{
          name: version, served: true, storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec: { type: 'object', properties: { size: { type: 'integer', maximum: 9 } } } },
            },
          },
        }],
      },
    },
  });
  const custom = config.makeApiClient(k8s.CustomObjectsApi);
  await until('the new kind', async () => (await code(() => custom.listNamespacedCustomObject(at))) === 'no error');
  const widget = (size) => ({
    apiVersion: `${group}/${version}`, kind: 'Widget', metadata: { name: 'w' }, spec: { size },
  });
  assert.equal(await code(() => custom.createNamespacedCustomObject({ ...at, body: widget(10) })), 422);
  await custom.createNamespacedCustomObject({ ...at, body: widget(3) });
  const patched = await custom.patchNamespacedCustomObject({
    ...at, name: 'w', body: [{ op: 'replace', path: '/spec/size', value: 4 }],
  });
  assert.equal(patched.spec.size, 4);
  const seen = [];
  const watch = await new k8s.Watch(config).watch(
    `/apis/${group}/${version}/namespaces/${ns}/${plural}`, {},
    (type, item) => seen.push(`${type} ${item.spec.size}`), () => {});
  await until('the watch', () => seen.includes('ADDED 4'));
  await custom.deleteNamespacedCustomObject({ ...at, name: 'w' });
  await until('the deletion', () => seen.includes('DELETED 4'));
  watch.abort();
}

for (const part of [objects, informer, customResources]) {
  await part();
  console.log(`ok ${part.name}`);
}
process.exit(0);
