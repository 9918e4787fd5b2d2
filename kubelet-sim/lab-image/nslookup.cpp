// nslookup as small busyboxes have it (up to 1.28, which courses pin for that reason): a name is
// resolved as programs do it, along the search path, and the exit code says whether it was found.
// Newer ones ask every domain of the path and fail when one of them does not know the name. A
// question for a record type is busybox's own business.
#include <arpa/inet.h>
#include <netdb.h>
#include <resolv.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "images.hpp"

namespace lab_image {
namespace {

// Its nslookup has another name in the copy of a lab (kubelet-sim/runtime/container_root.cpp).
constexpr const char *kBusybox = "/bin/busybox", *kItsName = "nslookuq";

std::string name_of(const sockaddr* address, socklen_t size) {
  char name[NI_MAXHOST];
  const int wrong = getnameinfo(address, size, name, sizeof name, nullptr, 0, NI_NAMEREQD);
  return wrong == 0 ? name : "";
}

void print_addresses(const char* title, const std::string& name, const addrinfo* list) {
  std::printf("%-10s %s\n", title, name.c_str());
  int number = 0;
  for (const addrinfo* a = list; a != nullptr; a = a->ai_next) {
    char text[INET6_ADDRSTRLEN] = "";
    getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
    std::printf("Address %d: %s %s\n", ++number, text, name_of(a->ai_addr, a->ai_addrlen).c_str());
  }
}

int look_up(const char* title, const std::string& name, int flags) {
  addrinfo hints{}, *list = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  if (getaddrinfo(name.c_str(), nullptr, &hints, &list) != 0) {
    std::fflush(stdout);
    std::fprintf(stderr, "nslookup: can't resolve '%s'\n", name.c_str());
    return 1;
  }
  print_addresses(title, name, list);
  freeaddrinfo(list);
  return 0;
}

int by_busybox(const Args& args) {
  std::vector<char*> words = {const_cast<char*>(kItsName)};
  for (const std::string& a : args) words.push_back(const_cast<char*>(a.c_str()));
  words.push_back(nullptr);
  execv(kBusybox, words.data());
  std::perror(kBusybox);
  return 127;
}

}  // namespace

int run_nslookup(const Args& args) {
  if (args.empty() || args.size() > 2 || args[0][0] == '-') return by_busybox(args);
  if (res_init() != 0) return 1;
  if (args.size() == 2) {
    in_addr server{};
    if (inet_pton(AF_INET, args[1].c_str(), &server) != 1) {
      addrinfo hints{}, *list = nullptr;
      hints.ai_family = AF_INET;
      if (getaddrinfo(args[1].c_str(), nullptr, &hints, &list) != 0) {
        std::fprintf(stderr, "nslookup: can't resolve '%s'\n", args[1].c_str());
        return 1;
      }
      server = reinterpret_cast<const sockaddr_in*>(list->ai_addr)->sin_addr;
      freeaddrinfo(list);
    }
    _res.nscount = 1;
    _res.nsaddr_list[0].sin_family = AF_INET;
    _res.nsaddr_list[0].sin_port = htons(53);
    _res.nsaddr_list[0].sin_addr = server;
  }
  char server[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &_res.nsaddr_list[0].sin_addr, server, sizeof server);
  look_up("Server:", server, AI_NUMERICHOST);
  std::printf("\n");
  return look_up("Name:", args[0], 0);
}

}  // namespace lab_image
