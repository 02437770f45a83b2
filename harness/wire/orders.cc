// Orders and replies as bytes. Each value is described once, for both directions: `wire` either
// writes it (Out) or reads it (In).
#include "harness/wire/orders.h"

#include <concepts>
#include <cstring>
#include <type_traits>
#include <utility>

namespace storefuzz::program {
namespace {

// Of a list. More is not from us, and would take memory out of proportion to its bytes.
constexpr std::size_t kMaxItems = 1 << 16;
constexpr std::uint8_t kOrders = 'O', kReplies = 'R';  // the first byte says what a frame holds

template <class T>
concept Number = std::integral<T>;

struct Out {
  std::string bytes;

  template <Number T>
  void number(T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);  // little-endian machines
  }
  void text(const std::string& value) {
    number(static_cast<std::uint32_t>(value.size()));
    bytes += value;
  }
};

struct In {
  std::string_view left;
  bool sound = true;

  template <Number T>
  void number(T& value) {
    if (left.size() < sizeof value) return fail();
    std::memcpy(&value, left.data(), sizeof value);
    left.remove_prefix(sizeof value);
  }
  void text(std::string& value) {
    std::uint32_t size = 0;
    number(size);
    if (!sound || left.size() < size) return fail();
    value.assign(left.substr(0, size));
    left.remove_prefix(size);
  }
  std::size_t count() {
    std::uint32_t count = 0;
    number(count);
    if (count > kMaxItems) fail();
    return sound ? count : 0;
  }
  void fail() {
    sound = false;
    left = {};
  }
};

// --- what values are made of

void pass(Out& wire, const std::string& value) { wire.text(value); }
void pass(In& wire, std::string& value) { wire.text(value); }

template <Number T>
void pass(Out& wire, const T& value) {
  wire.number(value);
}
template <Number T>
  requires(!std::same_as<T, bool>)
void pass(In& wire, T& value) {
  wire.number(value);
}
void pass(In& wire, bool& value) {
  std::uint8_t byte = 0;
  wire.number(byte);
  if (byte > 1) wire.fail();
  value = byte == 1;
}

// An enumeration whose last value is `last`.
template <class Enum>
void pass_enum(Out& wire, Enum value, Enum) {
  wire.number(static_cast<std::uint8_t>(value));
}
template <class Enum>
void pass_enum(In& wire, Enum& value, Enum last) {
  std::uint8_t byte = 0;
  wire.number(byte);
  if (byte > static_cast<std::uint8_t>(last)) return wire.fail();
  value = static_cast<Enum>(byte);
}

// Values of this project; their members stand below.
template <class Wire, class T>
  requires requires(Wire& wire, T& value) { members(wire, value); }
void pass(Wire& wire, T& value) {
  members(wire, value);
}

// Containers may hold each other: declared first.
template <class T>
void pass(Out& wire, const std::vector<T>& list);
template <class T>
void pass(In& wire, std::vector<T>& list);
template <class... T>
void pass(Out& wire, const std::variant<T...>& value);
template <class... T>
void pass(In& wire, std::variant<T...>& value);

template <class T>
void pass(Out& wire, const std::optional<T>& value) {
  pass(wire, value.has_value());
  if (value) pass(wire, *value);
}
template <class T>
void pass(In& wire, std::optional<T>& value) {
  bool there = false;
  pass(wire, there);
  if (there) pass(wire, value.emplace());
}
template <class A, class B>
void pass(Out& wire, const std::pair<A, B>& both) {
  pass(wire, both.first);
  pass(wire, both.second);
}
template <class A, class B>
void pass(In& wire, std::pair<A, B>& both) {
  pass(wire, both.first);
  pass(wire, both.second);
}
void pass(Out& wire, const Snapshot& files) {
  wire.number(static_cast<std::uint32_t>(files.size()));
  for (const auto& file : files) pass(wire, file);
}
void pass(In& wire, Snapshot& files) {
  for (std::size_t left = wire.count(); left > 0 && wire.sound; --left) {
    std::pair<std::string, Bytes> file;
    pass(wire, file);
    files.insert(std::move(file));
  }
}

// --- members

// Written or read: the same members, constant or not.
template <class T, class... Ours>
concept Is = (std::same_as<std::remove_const_t<T>, Ours> || ...);

void members(auto&, Is<None, Absent> auto&) {}

void members(auto& wire, Is<BytesValue> auto& it) { pass(wire, it.bytes); }
void members(auto& wire, Is<Names> auto& it) { pass(wire, it.names); }
void members(auto& wire, Is<BytesList, Attributes> auto& it) { pass(wire, it.values); }
void members(auto& wire, Is<Text> auto& it) { pass(wire, it.text); }
void members(auto& wire, Is<Numbers> auto& it) { pass(wire, it.numbers); }
void members(auto& wire, Is<NewHandle> auto& it) { pass(wire, it.type); }
void members(auto& wire, Is<Refusal> auto& it) {
  pass(wire, it.type);
  pass(wire, it.text);
  pass(wire, it.frame);
}
void members(auto& wire, Is<Crashed> auto& it) {
  pass(wire, it.signal);
  pass(wire, it.stacks);
}
void members(auto& wire, Is<TimedOut> auto& it) { pass(wire, it.stacks); }
void members(auto& wire, Is<Reply> auto& it) {
  pass(wire, it.answer);
  pass(wire, it.snapshots);
  pass_enum(wire, it.looked, Looked::kTooLarge);
  pass(wire, it.folder);
}
void members(auto& wire, Is<Order> auto& it) {
  pass_enum(wire, it.verb, Verb::kEnd);
  pass_enum(wire, it.op, operations().back().op);
  pass_enum(wire, it.by, By::kSync);
  pass_enum(wire, it.carrier, Carrier::kInherited);
  pass_enum(wire, it.cargo, Cargo::kGroup);
  pass(wire, it.watched);
  pass(wire, it.flag);
  pass(wire, it.look);
  pass(wire, it.handle);
  pass(wire, it.result);
  pass(wire, it.other);
  pass(wire, it.start);
  pass(wire, it.end);
  pass(wire, it.text);
  pass(wire, it.key);
  pass(wire, it.value);
}

// --- containers

template <class T>
void pass(Out& wire, const std::vector<T>& list) {
  wire.number(static_cast<std::uint32_t>(list.size()));
  for (const T& item : list) pass(wire, item);
}
template <class T>
void pass(In& wire, std::vector<T>& list) {
  for (std::size_t left = wire.count(); left > 0 && wire.sound; --left)
    pass(wire, list.emplace_back());
}
template <class... T>
void pass(Out& wire, const std::variant<T...>& value) {
  wire.number(static_cast<std::uint8_t>(value.index()));
  std::visit([&](const auto& it) { pass(wire, it); }, value);
}
template <class... T>
void pass(In& wire, std::variant<T...>& value) {
  std::uint8_t index = 0;
  wire.number(index);
  const bool known = [&]<std::size_t... I>(std::index_sequence<I...>) {
    return ((index == I && (pass(wire, value.template emplace<I>()), true)) || ...);
  }(std::index_sequence_for<T...>{});
  if (!known) wire.fail();
}

template <class T>
std::string encoded(std::uint8_t kind, std::span<const T> list) {
  Out wire;
  wire.number(kind);
  wire.number(static_cast<std::uint32_t>(list.size()));
  for (const T& item : list) pass(wire, item);
  return std::move(wire.bytes);
}

template <class T>
Result<std::vector<T>> decoded(std::uint8_t kind, std::string_view frame) {
  In wire{frame};
  std::uint8_t found = 0;
  wire.number(found);
  std::vector<T> list;
  if (found == kind) pass(wire, list);
  if (found != kind || !wire.sound || !wire.left.empty())
    return bad_input("these bytes are no frame of this harness");
  return list;
}

}  // namespace

std::string encode(std::span<const Order> orders) { return encoded(kOrders, orders); }
std::string encode(std::span<const Reply> replies) { return encoded(kReplies, replies); }

Result<std::vector<Order>> decode_orders(std::string_view frame) {
  return decoded<Order>(kOrders, frame);
}
Result<std::vector<Reply>> decode_replies(std::string_view frame) {
  return decoded<Reply>(kReplies, frame);
}

}  // namespace storefuzz::program
