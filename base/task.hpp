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
//
// Who owns what. A spawned Task belongs to the callback it waits for: when all copies of that are
// dropped uncalled (a queue that is torn down), the Task and all that wait for it are destroyed,
// and what was to be told its result is not.
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
    std::coroutine_handle<> root;  // the spawned one that ends up waiting for this one

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
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> waiter) {
    handle_.promise().continuation = waiter;
    handle_.promise().root = waiter.promise().root;
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
    std::coroutine_handle<> root = std::coroutine_handle<promise_type>::from_promise(*this);
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
// `done` is called once at the most, maybe before the starter returns.
template <class T>
class Callback {
 public:
  using Starter = std::function<void(std::function<void(T)>)>;
  explicit Callback(Starter starter) : starter_(std::move(starter)) {}
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;

  bool await_ready() const noexcept { return false; }
  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> waiter) {
    // Owned by the copies of `done`, and by us until we know whether to wait.
    const auto slot = std::make_shared<Slot>();
    slot->awaiter = this;
    const Starter starter = std::move(starter_);
    starter([slot](T value) {
      CORACLE_CHECK(slot->awaiter != nullptr);
      std::exchange(slot->awaiter, nullptr)->value_.emplace(std::move(value));
      if (slot->waiter) std::exchange(slot->waiter, nullptr).resume();
    });
    if (value_.has_value()) return false;  // answered at once: do not suspend
    slot->waiter = waiter;
    slot->root = waiter.promise().root;
    return true;
  }
  T await_resume() { return std::move(*value_); }

 private:
  struct Slot {
    Callback* awaiter = nullptr;  // lives in the waiting frame; null: answered
    std::coroutine_handle<> waiter, root;
    Slot() = default;
    Slot(const Slot&) = delete;
    ~Slot() {
      if (waiter) root.destroy();
    }
  };
  std::optional<T> value_;
  Starter starter_;
};

}  // namespace coracle
