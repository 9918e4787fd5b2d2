// Task<T>: a lazily started coroutine that yields one T. Works in both worlds, because it knows
// nothing of Asio: it suspends on callbacks that an Executor (or a fake) delivers.
//
//   Task<Result<int>> f(Store& store) { CO_ASSIGN_OR_RETURN(auto r, co_await store.range(...)); ...
//   }
//
// Rules. A Task is awaited at most once, or given to spawn(). Parameters are taken by value unless
// the callee outlives the Task: no reference to a caller's local may cross a co_await of a spawned
// Task. Exceptions do not leave tasks: an escaping one ends the program. Not thread-safe: a Task
// runs on the executor that resumes it, and its callbacks must be delivered there.
#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/check.hpp"

namespace coracle {

template <class T>
class [[nodiscard]] Task {
 public:
  struct promise_type {
    std::optional<T> value;
    std::coroutine_handle<> continuation = std::noop_coroutine();

    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct Final {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> h) noexcept {
          return h.promise().continuation;
        }
        void await_resume() noexcept {}
      };
      return Final{};
    }
    template <class U>
    void return_value(U&& result) {
      value.emplace(std::forward<U>(result));
    }
    void unhandled_exception() { std::terminate(); }
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) {
    handle_.promise().continuation = waiter;
    return handle_;
  }
  T await_resume() {
    CORACLE_CHECK(handle_.promise().value.has_value());
    return std::move(*handle_.promise().value);
  }

 private:
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  std::coroutine_handle<promise_type> handle_;
};

namespace detail {

struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

}  // namespace detail

// Starts `task` now and gives its result to `done` when it ends.
template <class T>
void spawn(Task<T> task, std::function<void(T)> done) {
  [](Task<T> owned, std::function<void(T)> then) -> detail::Detached {
    then(co_await std::move(owned));
  }(std::move(task), std::move(done));
}

// co_await Callback<T>([&](std::function<void(T)> done) { start_something(std::move(done)); })
// `done` is called exactly once, maybe before the starter returns.
template <class T>
class Callback {
 public:
  using Starter = std::function<void(std::function<void(T)>)>;
  explicit Callback(Starter starter) : starter_(std::move(starter)) {}

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    // Shared with the callback: either side may come first.
    auto state = state_;
    auto starter = std::move(starter_);
    starter([state](T value) {
      CORACLE_CHECK(!state->value.has_value());
      state->value.emplace(std::move(value));
      if (state->waiter) std::exchange(state->waiter, nullptr).resume();
    });
    if (state->value.has_value()) return false;  // answered at once: do not suspend
    state->waiter = waiter;
    return true;
  }
  T await_resume() { return std::move(*state_->value); }

 private:
  struct State {
    std::optional<T> value;
    std::coroutine_handle<> waiter;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
  Starter starter_;
};

}  // namespace coracle
