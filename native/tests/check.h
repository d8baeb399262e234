// A small test kit: TEST(name) { CHECK(x); CHECK_EQ(a, b); CHECK_NEAR(a, b, tolerance); REQUIRE(x); SKIP("why"); }
//
// CHECK records a failure and goes on, REQUIRE ends the test. Comparisons are positive, so that NaN fails. A test that
// checks nothing fails too. The program takes an optional filter (part of "file.name") or `--file STEM`, and prints one
// line `N passed, N failed, N skipped` last.
#pragma once

#include <cmath>
#include <cstdio>
#include <functional>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace cnn::check {

struct Stop {};                           // thrown by REQUIRE
struct Skip { std::string reason; };      // thrown by SKIP

void add(const char* file, const char* name, void (*body)());
void report(bool passed, const char* file, int line, const std::string& message);

struct Registration {
  Registration(const char* file, const char* name, void (*body)()) { add(file, name, body); }
};

template <class T> std::string show(const T& value) {
  std::ostringstream text;
  if constexpr (std::is_enum_v<T>) text << static_cast<long long>(value);
  else if constexpr (std::is_same_v<T, std::nullptr_t>) text << "nullptr";
  else if constexpr (std::is_floating_point_v<T>) { text.precision(17); text << value; }
  else if constexpr (std::is_same_v<T, unsigned char> || std::is_same_v<T, signed char>) text << int(value);
  else if constexpr (requires { text << value; }) text << value;
  else text << "(value)";
  return text.str();
}

template <class A, class B>
bool equal(const A& a, const B& b, const char* what, const char* file, int line) {
  const bool same = [&] {
    if constexpr (std::is_integral_v<A> && std::is_integral_v<B> && !std::is_same_v<A, bool> && !std::is_same_v<B, bool>
                  && !std::is_same_v<A, char> && !std::is_same_v<B, char>)
      return std::cmp_equal(a, b);
    else
      return a == b;
  }();
  report(same, file, line, same ? "" : std::string(what) + ": " + show(a) + " is not " + show(b));
  return same;
}

template <class A, class B, class Tolerance>
bool near(const A& actual, const B& expected, const Tolerance& tolerance, const char* what, const char* file, int line) {
  const double error = std::fabs(double(actual) - double(expected));
  const bool close = error <= double(tolerance);
  report(close, file, line, close ? "" : std::string(what) + ": " + show(actual) + " is not within " + show(tolerance)
                                             + " of " + show(expected) + " (error " + show(error) + ")");
  return close;
}

}  // namespace cnn::check

#define TEST(name)                                                                            \
  static void test_##name();                                                                  \
  static const ::cnn::check::Registration registration_##name(__FILE__, #name, &test_##name); \
  static void test_##name()

#define CHECK(...)                                                                                     \
  do {                                                                                                 \
    const bool checked_ = static_cast<bool>(__VA_ARGS__);                                              \
    ::cnn::check::report(checked_, __FILE__, __LINE__, checked_ ? "" : "not true: " #__VA_ARGS__);     \
  } while (false)

#define REQUIRE(...)                                                                                   \
  do {                                                                                                 \
    const bool checked_ = static_cast<bool>(__VA_ARGS__);                                              \
    ::cnn::check::report(checked_, __FILE__, __LINE__, checked_ ? "" : "not true: " #__VA_ARGS__);     \
    if (!checked_) throw ::cnn::check::Stop{};                                                         \
  } while (false)

#define CHECK_EQ(actual, expected) \
  (void)::cnn::check::equal((actual), (expected), #actual " == " #expected, __FILE__, __LINE__)

#define REQUIRE_EQ(actual, expected)                                                                           \
  do {                                                                                                         \
    if (!::cnn::check::equal((actual), (expected), #actual " == " #expected, __FILE__, __LINE__))              \
      throw ::cnn::check::Stop{};                                                                              \
  } while (false)

#define CHECK_NEAR(actual, expected, tolerance) \
  (void)::cnn::check::near((actual), (expected), (tolerance), #actual " ~ " #expected, __FILE__, __LINE__)

#define FAIL(message) ::cnn::check::report(false, __FILE__, __LINE__, (message))

#define SKIP(why) throw ::cnn::check::Skip{why}
