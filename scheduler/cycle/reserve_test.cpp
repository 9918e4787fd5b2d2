#include "cycle/reserve.hpp"

#include <catch2/catch.hpp>

#include "framework/testing.hpp"

namespace coracle::scheduler {
namespace {

using testing::a_node;
using testing::a_pod;
using testing::a_world;
using Calls = std::vector<std::string>;

// Takes "claim-NAME", and writes down when it is asked; `no`: refuses.
class Taker final : public Plugin {
 public:
  Taker(std::string name, Calls& calls, Verdict verdict = Verdict::yes())
      : name_(std::move(name)), calls_(calls), verdict_(std::move(verdict)) {}
  std::string_view name() const override { return name_; }
  Verdict reserve(const PodInfo& pod, const std::string& node, const Snapshot&,
                  Reservations& reservations) const override {
    calls_.push_back("reserve " + name_ + " on " + node);
    if (verdict_.is_yes()) CHECK(reservations.take("claim-" + name_, pod.uid));
    return verdict_;
  }
  void unreserve(const PodInfo& pod, const std::string& node,
                 Reservations& reservations) const override {
    calls_.push_back("unreserve " + name_ + " on " + node);
    reservations.give_back("claim-" + name_, pod.uid);
  }

 private:
  const std::string name_;
  Calls& calls_;
  const Verdict verdict_;
};

Profile profile_of(const std::vector<std::shared_ptr<const Plugin>>& plugins) {
  Profile profile;
  profile.plugins = plugins;
  for (const auto& plugin : plugins) profile.at(Point::kReserve).push_back(plugin.get());
  return profile;
}

TEST_CASE("plugins reserve in order, and are undone last first") {
  Calls calls;
  const Profile profile =
      profile_of({std::make_shared<Taker>("a", calls), std::make_shared<Taker>("b", calls)});
  const Snapshot world = a_world({a_node("n")});
  const PodPtr pod = a_pod("p").info();
  Reservations reservations;
  const auto outcome = reserve_all(profile, *pod, "n", world, reservations);
  CHECK(outcome.verdict.is_yes());
  CHECK(outcome.by == nullptr);
  CHECK(reservations.is_taken("claim-a", "another"));
  CHECK_FALSE(reservations.is_taken("claim-a", pod->uid));
  unreserve_all(profile, *pod, "n", reservations);
  CHECK(reservations.empty());
  CHECK(calls == Calls{"reserve a on n", "reserve b on n", "unreserve b on n", "unreserve a on n"});
}

TEST_CASE("a no of a later plugin undoes all, and names it") {
  Calls calls;
  const Verdict no = Verdict::not_now("out of luck");
  const Profile profile =
      profile_of({std::make_shared<Taker>("a", calls), std::make_shared<Taker>("b", calls, no),
                  std::make_shared<Taker>("c", calls)});
  Reservations reservations;
  const auto outcome =
      reserve_all(profile, *a_pod("p").info(), "n", a_world({a_node("n")}), reservations);
  CHECK(outcome.verdict == no);
  REQUIRE(outcome.by != nullptr);
  CHECK(outcome.by->name() == "b");
  CHECK(reservations.empty());
  CHECK(calls == Calls{"reserve a on n", "reserve b on n", "unreserve c on n", "unreserve b on n",
                       "unreserve a on n"});
}

TEST_CASE("what one pod has taken, another neither gets nor gives back") {
  Reservations reservations;
  CHECK(reservations.take("x", "one"));
  CHECK(reservations.take("x", "one"));
  CHECK_FALSE(reservations.take("x", "two"));
  reservations.give_back("x", "two");
  CHECK(reservations.is_taken("x", "two"));
  CHECK(reservations.take("y", "two"));
  reservations.give_back_all("one");
  CHECK_FALSE(reservations.is_taken("x", "two"));
  CHECK(reservations.is_taken("y", "one"));
}

}  // namespace
}  // namespace coracle::scheduler
