// connect_options: what a CONNECT (exec, attach, port-forward, proxy) asks for, as the object that
// admission is shown: PodExecOptions and its kin, made of the query. Pure.
#pragma once

#include "apiserver/chain/request_info.hpp"
#include "base/json.hpp"
#include "net/http.hpp"

namespace coracle::apiserver {

bool is_connect(const RequestInfo& info);
json::value connect_options(const RequestInfo& info, const net::Query& query);

}  // namespace coracle::apiserver
