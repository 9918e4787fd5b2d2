// ValidatingAdmissionWebhook: webhooks that say yes or no, all at once.
#include "apiserver/admission/plugins.hpp"
#include "apiserver/admission/webhook_call.hpp"

namespace coracle::apiserver {

namespace {

// All answers, in the order of the calls.
class Poll {
 public:
  using Answers = std::vector<std::optional<Outcome<WebhookAnswer>>>;

  static Task<Answers> run(Admitted& a, std::vector<WebhookCall> calls) {
    const auto poll = std::make_shared<Poll>();
    poll->answers_.resize(calls.size());
    poll->left_ = calls.size();
    co_await Callback<bool>([&](std::function<void(bool)> done) {
      poll->done_ = std::move(done);
      for (std::size_t i = 0; i < calls.size(); ++i) {
        spawn(call_webhook(a, std::move(calls[i]), false),
              std::function<void(Outcome<WebhookAnswer>)>(
                  [poll, i](Outcome<WebhookAnswer> answer) { poll->take(i, std::move(answer)); }));
      }
    });
    co_return std::move(poll->answers_);
  }

 private:
  void take(std::size_t place, Outcome<WebhookAnswer> answer) {
    answers_[place].emplace(std::move(answer));
    if (--left_ > 0) return;
    const auto done = std::exchange(done_, nullptr);
    done(true);
  }

  Answers answers_;
  std::size_t left_ = 0;
  std::function<void(bool)> done_;
};

}  // namespace

Task<Outcome<Done>> ask_webhooks(Admitted& a, const json::value* object, const json::value* old) {
  const auto hooks = a.state.validating->read(a.m.feed, "validatingwebhookconfigurations");
  if (hooks->empty() || exempt_from_webhooks(a)) co_return Done{};
  std::vector<WebhookCall> calls;
  for (const auto& hook : *hooks) {
    CO_TRY_OUTCOME(auto call, co_await prepare_call(a, hook, object, old));
    if (!call) continue;
    call->place = "round_0_index_" + std::to_string(calls.size());
    calls.push_back(*std::move(call));
  }
  if (calls.empty()) co_return Done{};
  std::vector<std::string> names;
  for (const WebhookCall& call : calls) names.push_back(call.hook->name);
  const Poll::Answers answers = co_await Poll::run(a, std::move(calls));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Outcome<WebhookAnswer>& answer = *answers[i];
    if (!answer.ok()) co_return answer.error();
    if (!(*answer).verdict.allowed) co_return webhook_denial(names[i], (*answer).verdict.result);
  }
  co_return Done{};
}

}  // namespace coracle::apiserver
