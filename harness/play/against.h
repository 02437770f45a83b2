// The base of --against: another zarr, which plays the same programs. What it shows as well is old.
//
//     auto sides = Sides::start(settings);
//     if (sides->against) sides->against->take_out(value, played, effort);
#pragma once

#include <memory>

#include "harness/play/program_session.h"

namespace storefuzz {

class Against {
 public:
  // A session of the base, beside that of the subject; null where the settings name none.
  static Result<std::unique_ptr<Against>> start(const Settings& settings);

  // Takes out of `played` each difference that the base shows at the same call, by the same class.
  // What the base cannot play (it has no such store) stays. How many were taken out. An Error: as
  // ProgramSession::play().
  Result<std::size_t> take_out(const program::Case& value, PlayedProgram& played, Effort effort);

  // The same, where the base has played the program already.
  static std::size_t take_out(const program::Case& value, PlayedProgram& played,
                              const PlayedProgram& base);

  ProgramSession& session() { return *session_; }

 private:
  explicit Against(std::unique_ptr<ProgramSession> session) : session_(std::move(session)) {}
  std::unique_ptr<ProgramSession> session_;
};

// Both, as long as they play.
struct Sides {
  std::unique_ptr<ProgramSession> subject;
  std::unique_ptr<Against> against;  // or null

  static Result<Sides> start(const Settings& settings);
};

}  // namespace storefuzz
