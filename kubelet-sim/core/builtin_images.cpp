#include "kubelet/builtin_images.hpp"

namespace coracle::kubelet {

namespace {

// Pages and configuration are our own words.
constexpr std::string_view kImages = R"yaml(
images:
- name: "*"
  cpu: 1m
  memory: 2Mi
  missingTags: [BadImageTAG, no-such-tag, does-not-exist, "404"]
- name: nginx
  pull: 200ms
  memory: 4Mi
  cmd: [nginx, -g, daemon off;]
  version: 1.27.5
  versionEnv: NGINX_VERSION
  programs: {/usr/sbin/nginx: nginx}
  files:
    /etc/nginx/nginx.conf: |
      events { worker_connections 256; }
      http { include /etc/nginx/conf.d/*.conf; }
    /etc/nginx/conf.d/default.conf: |
      server {
          listen 80;
          server_name localhost;
          location / {
              root /usr/share/nginx/html;
              index index.html index.htm;
          }
      }
    /usr/share/nginx/html/index.html: |
      <!DOCTYPE html>
      <html>
      <head><title>Welcome to nginx!</title></head>
      <body>
      <h1>Welcome to nginx!</h1>
      <p>This page comes from a simulated nginx in a Coracle cluster. Put your own into
      /usr/share/nginx/html, by a volume or by kubectl cp.</p>
      </body>
      </html>
  logs:
  - "/docker-entrypoint.sh: Configuration complete; ready for start up"
  - "start worker processes"
- name: nginxinc/nginx-unprivileged
  cmd: [nginx, -g, daemon off;]
  user: 101
  group: 101
  version: 1.27.5
  versionEnv: NGINX_VERSION
  programs: {/usr/sbin/nginx: nginx}
  files:
    /etc/nginx/nginx.conf: |
      events { worker_connections 256; }
      http { include /etc/nginx/conf.d/*.conf; }
    /etc/nginx/conf.d/default.conf: |
      server { listen 8080; location / { root /usr/share/nginx/html; } }
    /usr/share/nginx/html/index.html: |
      <!DOCTYPE html>
      <html><head><title>Welcome to nginx!</title></head>
      <body><h1>Welcome to nginx!</h1></body></html>
- name: redis
  pull: 150ms
  cmd: [redis-server]
  workingDir: /data
  version: 7.4.2
  versionEnv: REDIS_VERSION
  programs: {/usr/local/bin/redis-server: redis-server, /usr/local/bin/redis-cli: redis-cli}
  logs: ["Ready to accept connections tcp"]
- name: httpd
  cmd: [httpd-foreground]
  workingDir: /usr/local/apache2
  version: 2.4.63
  versionEnv: HTTPD_VERSION
  env: {PATH: "/usr/local/apache2/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
  programs: {/usr/local/apache2/bin/httpd: httpd}
  files:
    /usr/local/apache2/bin/httpd-foreground: "#!/bin/sh\nexec /usr/local/apache2/bin/httpd \"$@\"\n"
    /usr/local/apache2/htdocs/index.html: "<html><body><h1>It works!</h1></body></html>\n"
  logs: ["AH00094: Command line: 'httpd -D FOREGROUND'"]
- {name: nginx-slim, like: nginx}
- {name: nginx-slim-amd64, like: nginx}
- {name: registry.example.com/private/web, credentials: {student: coracle}, cmd: [nginx, -g, daemon off;],
   programs: {/usr/sbin/nginx: nginx}, version: 1.27.5, versionEnv: NGINX_VERSION,
   files: {/etc/nginx/nginx.conf: "events {} http { server { listen 80; return 200 'private\n'; } }\n"}}
- name: mysql
  pull: 400ms
  cpu: {0s: 300m, 5s: 8m}
  memory: {0s: 20Mi, 5s: 100Mi}
  logs: ["ready for connections"]
- name: postgres
  pull: 400ms
  cpu: {0s: 100m, 3s: 3m}
  memory: {0s: 10Mi, 3s: 30Mi}
  logs: ["database system is ready to accept connections"]
- {name: busybox, shell: true, cmd: [sh]}
- {name: radial/busyboxplus, shell: true, cmd: [sh]}
- {name: alpine, shell: true, cmd: [/bin/sh]}
- {name: ubuntu, shell: true, cmd: [/bin/bash]}
- {name: debian, shell: true, cmd: [bash]}
- {name: centos, shell: true, cmd: [/bin/bash]}
- {name: fedora, shell: true, cmd: [/bin/bash]}
- {name: bash, shell: true, cmd: [bash]}
- {name: hello-world, runFor: 100ms, logs: ["Hello from Docker!"],
   cmd: [sh, -c, 'echo; echo "Hello from Docker!"; echo "This message shows that your installation appears to be working correctly."; echo']}
- {name: registry.k8s.io/hpa-example, cmd: [/hpa-example], programs: {/hpa-example: hpa-example}}
- {name: k8s.gcr.io/hpa-example, cmd: [/hpa-example], programs: {/hpa-example: hpa-example}}
- {name: curlimages/curl, entrypoint: [curl], user: 100, group: 101}
- {name: hashicorp/http-echo, entrypoint: [/http-echo], programs: {/http-echo: http-echo}}
- {name: registry.k8s.io/e2e-test-images/agnhost, entrypoint: [/agnhost], cmd: [pause], programs: {/agnhost: agnhost, /agnhost-2: agnhost-2}}
- {name: k8s.gcr.io/e2e-test-images/agnhost, entrypoint: [/agnhost], cmd: [pause], programs: {/agnhost: agnhost, /agnhost-2: agnhost-2}}
- {name: k8s.gcr.io/liveness, cmd: [/server], programs: {/server: liveness}}
- {name: registry.k8s.io/liveness, cmd: [/server], programs: {/server: liveness}}
- {name: gcr.io/google-samples/hello-app, entrypoint: [/hello-app], versionEnv: APP_VERSION, version: 1.0.0, programs: {/hello-app: hello-app}}
- {name: us-docker.pkg.dev/google-samples/containers/gke/hello-app, entrypoint: [/hello-app], versionEnv: APP_VERSION, version: 1.0.0, programs: {/hello-app: hello-app}}
- {name: linuxacademycontent/kubeserve, entrypoint: [/kubeserve], programs: {/kubeserve: kubeserve}}
- {name: chadmcrowell/kubeserve2, entrypoint: [/kubeserve], programs: {/kubeserve: kubeserve}}
- {name: container-images/kubectl-proxy, entrypoint: [/kubectl-proxy], programs: {/kubectl-proxy: kubectl-proxy}}
- {name: linuxacademycontent/kubectl-proxy, like: container-images/kubectl-proxy}
- {name: tutum/curl, shell: true, cmd: [sh]}
- {name: traefik/whoami, entrypoint: [/whoami], programs: {/whoami: whoami}}
- {name: containous/whoami, entrypoint: [/whoami], programs: {/whoami: whoami}}
)yaml";

}  // namespace

std::string_view builtin_images() { return kImages; }

}  // namespace coracle::kubelet
