/**
 * @file callback.hpp
 * @brief Calls from C into C++ functions. Not for programs.
 * @copyright MIT OR Apache-2.0
 */
#ifndef RESUP_CALLBACK_HPP
#define RESUP_CALLBACK_HPP

#include <resup/error.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <thread>
#include <utility>

/// @cond internal
namespace resup::detail {

/// An upload's handle; each run that is under way shares it.
using Handle = std::shared_ptr<resup_upload>;

/// A callback that is under way on this thread.
class Callback {
  public:
    Callback() noexcept { ++count(); }
    Callback(const Callback &) = delete;
    Callback &operator=(const Callback &) = delete;
    ~Callback() { --count(); }

    /// Tells whether this thread is inside a callback.
    static bool is_under_way() noexcept { return count() > 0; }

  private:
    static int &count() noexcept
    {
        static thread_local int callbacks = 0;
        return callbacks;
    }
};

/// Deleter that frees an upload.
struct Free {
    void operator()(resup_upload *upload) const noexcept
    {
        // Busy only while the program itself runs it by the C API.
        while (resup_upload_free(upload) == RESUP_E_BUSY) {
            resup_upload_cancel(upload);
            // That run may be the caller of this callback, and end only after it; the callback may also be another
            // upload's. Who runs it frees it.
            if (Callback::is_under_way())
                return;
            std::this_thread::yield();
        }
    }
};

/// Makes a handle for a new upload; an empty one for null.
inline Handle own(resup_upload *upload) { return upload ? Handle(upload, Free()) : Handle(); }

/// A run() or wait() that is under way on this thread. All callbacks are called within one.
class Scope {
  public:
    explicit Scope(Handle upload) noexcept : upload_(std::move(upload)), outer_(current()) { current() = this; }

    Scope(const Scope &) = delete;
    Scope &operator=(const Scope &) = delete;

    ~Scope() { current() = outer_; }

    resup_upload *upload() const noexcept { return upload_.get(); }

    /// Keeps what a callback threw, if it is the first.
    static void keep(std::exception_ptr thrown) noexcept
    {
        if (current() && !current()->thrown_)
            current()->thrown_ = std::move(thrown);
    }

    /// Tells whether this thread is inside a callback of this upload.
    static bool within(const Handle &upload) noexcept
    {
        for (Scope *scope = current(); scope; scope = scope->outer_)
            if (scope->upload_ == upload)
                return true;
        return false;
    }

    /// Throws again what a callback threw: C must not see an exception, the caller of run() shall.
    void rethrow()
    {
        if (thrown_)
            std::rethrow_exception(std::exchange(thrown_, nullptr));
    }

  private:
    static Scope *&current() noexcept
    {
        static thread_local Scope *scope = nullptr;
        return scope;
    }

    Handle upload_;
    Scope *outer_;
    std::exception_ptr thrown_;
};

/// Cancels an upload and waits for its runs on other threads to return. Within its own callback it does not wait.
inline void end_runs(const Handle &upload) noexcept
{
    if (!upload)
        return;
    resup_upload_cancel(upload.get());
    if (Scope::within(upload))
        return;
    while (upload.use_count() > 1) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        resup_upload_cancel(upload.get()); // Again, for a run that has begun only now.
    }
}

/// Calls C++ from C. An exception is kept for the Scope, and cancels the upload.
template <class Call> int32_t guard(Call &&call) noexcept
{
    const Callback callback;
#if RESUP_HAS_EXCEPTIONS
    try {
        call();
        return RESUP_CONTINUE;
    } catch (...) {
        Scope::keep(std::current_exception());
        return RESUP_CONTINUE + 1;
    }
#else
    call();
    return RESUP_CONTINUE;
#endif
}

/// Deletes what was registered as `new T`.
template <class T> void destroy(void *user_data) noexcept { delete static_cast<T *>(user_data); }

} // namespace resup::detail
/// @endcond

#endif
