// The official JavaScript client at work. Run by ../js_client.py, which answers each line "step NAME"
// with a line when it has done its part.
import assert from 'node:assert/strict';
import net from 'node:net';
import readline from 'node:readline';
import { PassThrough } from 'node:stream';
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

function collector() {
  const stream = new PassThrough();
  stream.text = '';
  stream.on('data', (part) => { stream.text += part; });
  return stream;
}

// exec, logs and port-forward over WebSocket, into a real process.
async function streams() {
  await core.createNamespacedPod({
    namespace: ns,
    body: {
      metadata: { name: 'web' },
      spec: { containers: [{ name: 'web', image: 'nginx:1.27', ports: [{ containerPort: 80 }] }] },
    },
  });
  await until('the pod', async () => {
    const pod = await core.readNamespacedPod({ namespace: ns, name: 'web' });
    return pod.status.containerStatuses?.[0]?.ready;
  });
  const run = async (command, input) => {
    const [out, err] = [collector(), collector()];
    const status = await new Promise((done, failed) => {
      new k8s.Exec(config).exec(ns, 'web', 'web', command, out, err, input ?? null, false, done)
        .catch(failed);
    });
    return { out: out.text, err: err.text, status };
  };
  let ran = await run(['sh', '-c', 'echo to out; echo to err >&2; exit 3']);
  assert.equal(ran.out, 'to out\n');
  assert.equal(ran.err, 'to err\n');
  assert.equal(ran.status.status, 'Failure');
  assert.equal(ran.status.reason, 'NonZeroExitCode');
  assert.deepEqual(ran.status.details.causes, [{ reason: 'ExitCode', message: '3' }]);
  const input = new PassThrough();
  input.write('four\nwords\nof\ninput\n');
  ran = await run(['head', '-n', '2'], input);
  assert.equal(ran.out, 'four\nwords\n');
  assert.equal(ran.status.status, 'Success');

  const forward = new k8s.PortForward(config);
  const local = net.createServer((socket) => {
    forward.portForward(ns, 'web', [80], socket, null, socket);
  });
  await new Promise((done) => local.listen(0, '127.0.0.1', done));
  const answer = await fetch(`http://127.0.0.1:${local.address().port}/`);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('server'), /^nginx/);
  assert.match(await answer.text(), /nginx/);
  local.close();

  const logged = collector();
  const log = await new k8s.Log(config).log(ns, 'web', 'web', logged, { follow: true });
  await until(`the request in the log; seen: ${logged.text}`, () => logged.text.includes('GET / HTTP/1.1'));
  log.abort();
}

for (const part of [objects, informer, customResources, streams]) {
  await part();
  console.log(`ok ${part.name}`);
}
process.exit(0);
