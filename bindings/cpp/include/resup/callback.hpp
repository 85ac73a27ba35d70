/**
 * @file callback.hpp
 * @brief How C++ functions are called from C. Not for programs.
 * @copyright MIT OR Apache-2.0
 */
#ifndef RESUP_CALLBACK_HPP
#define RESUP_CALLBACK_HPP

#include <resup/error.hpp>

#include <exception>

/// @cond internal
namespace resup::detail {

/// One run() or wait() under way on this thread: all callbacks are called within it.
class Scope {
  public:
    explicit Scope(resup_upload *upload) noexcept : upload_(upload), outer_(current()) { current() = this; }

    Scope(const Scope &) = delete;
    Scope &operator=(const Scope &) = delete;

    ~Scope()
    {
        current() = outer_;
        if (orphaned_)
            resup_upload_free(upload_);
    }

    /// Keeps what a callback threw; the first one counts.
    static void keep(std::exception_ptr thrown) noexcept
    {
        if (current() && !current()->thrown_)
            current()->thrown_ = std::move(thrown);
    }

    /// Takes an upload over that is destroyed by one of its own callbacks.
    static bool adopt(resup_upload *upload) noexcept
    {
        for (Scope *scope = current(); scope; scope = scope->outer_)
            if (scope->upload_ == upload)
                return scope->orphaned_ = true;
        return false;
    }

    /// What a callback threw is thrown again, on the right side of C.
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

    resup_upload *upload_;
    Scope *outer_;
    std::exception_ptr thrown_;
    bool orphaned_ = false;
};

/// Calls C++ from C: no exception gets out, and one that tries cancels.
template <class Call> int32_t guarded(Call &&call) noexcept
{
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

/// The end of what was registered as `new T`.
template <class T> void destroy(void *user_data) noexcept { delete static_cast<T *>(user_data); }

} // namespace resup::detail
/// @endcond

#endif
