#include "kubelet_runtime/process_usage.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "kubelet_runtime/files.hpp"

namespace coracle::kubelet {
namespace {

constexpr int kProcessesMax = 1000;

void add(pid_t pid, Usage* usage, int* left) {
  if (--*left < 0) return;
  const std::string folder = fmt::format("/proc/{}", pid);
  const std::string stat = read_start(folder + "/stat", 1024);
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return;
  // state ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime cutime cstime
  long long utime = 0, stime = 0, cutime = 0, cstime = 0, rss = 0;
  std::sscanf(stat.c_str() + name_end + 2,
              "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld %lld %lld %*d %*d %*d %*d "
              "%*u %*u %lld",
              &utime, &stime, &cutime, &cstime, &rss);
  static const long long tick_nanos = 1'000'000'000 / std::max(1L, sysconf(_SC_CLK_TCK));
  static const long long page = sysconf(_SC_PAGESIZE);
  usage->cpu_nanos += (utime + stime + cutime + cstime) * tick_nanos;
  usage->memory_bytes += rss * page;
  const std::string children = read_start(fmt::format("{}/task/{}/children", folder, pid), 65536);
  for (const char* at = children.c_str(); *at != 0;) {
    char* end = nullptr;
    const long child = std::strtol(at, &end, 10);
    if (end == at) break;
    add(static_cast<pid_t>(child), usage, left);
    at = end;
  }
}

}  // namespace

Usage usage_of_tree(pid_t root) {
  Usage usage;
  int left = kProcessesMax;
  add(root, &usage, &left);
  return usage;
}

}  // namespace coracle::kubelet
