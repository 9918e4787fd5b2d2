// HttpExtenders: the live ExtenderPort. Strand: the executor's. Bounds: net::Client's.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "driver/extenders.hpp"
#include "net/asio_executor.hpp"
#include "net/client.hpp"

namespace coracle::scheduler {

class HttpExtenders final : public ExtenderPort {
 public:
  // InvalidArgument: `extenders[0].urlPrefix: ...`, a file that cannot be read, bad PEM.
  static Result<std::unique_ptr<HttpExtenders>> create(net::AsioExecutor& executor,
                                                       const std::vector<ExtenderConfig>& configs);
  Task<Result<Answer>> post(const ExtenderConfig& extender, std::string url,
                            std::string body) override;

 private:
  HttpExtenders() = default;
  std::map<std::string, std::unique_ptr<net::Client>> clients_;  // by urlPrefix
};

}  // namespace coracle::scheduler
