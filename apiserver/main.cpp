#include "apiserver/server/live_server.hpp"

int main(int argc, char** argv) {
  return coracle::apiserver::run_server(coracle::apiserver::options_or_die(argc, argv));
}
