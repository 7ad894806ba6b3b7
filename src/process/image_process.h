#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "process/json_fwd.h"
#include "process/program.h"
#include "sys/unique_fd.h"

namespace stormo::process {

/// What the master of an image states in its first packet, and the link to it: see Image.
class ImageLink {
 public:
  /// Nullopt if this process was not started as an image. Receives the first packet.
  static std::optional<ImageLink> ofThisProcess();
  ImageLink(ImageLink&& other) noexcept;
  ~ImageLink();

  /// The files that the master has read at its start, by path.
  [[nodiscard]] std::map<std::string, std::string> files() const;
  /// The program cannot be used.
  void reportFailure(std::string_view why) const;

  /// Compares the program with the one that runs; reports that it is declared; then forks a child
  /// for each order of the master. In a child runs it. Ends the process when the master has ended.
  /// Throws std::runtime_error if the roles differ.
  [[noreturn]] void serve(const Program& program) const;

 private:
  ImageLink(UniqueFd fd, std::unique_ptr<Json> first);
  void startChild(const Role& role, const Json& order, UniqueFd link) const;

  UniqueFd fd_;
  std::unique_ptr<Json> first_;
};

/// The part of a role that a new program must not change, as the first packet has it.
Json declarationOf(const Role& role);

}  // namespace stormo::process
