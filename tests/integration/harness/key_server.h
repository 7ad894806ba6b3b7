#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "support/deadline.h"
#include "support/spawned_program.h"

namespace stormo::integration {

/// An HTTP server that publishes a JWK Set, by Python. It is stopped with this object.
class KeyServer {
 public:
  /// `folder` is an existing one, for its files. With `certificate`, the path of a PEM file that
  /// its key is beside of as dev-cert names it, it speaks TLS.
  KeyServer(const test::Deadline& deadline, std::string folder, std::string certificate = {});

  /// Answers each request with this body. `head`: further lines of the head, each with its "\r\n".
  void answer(const std::string& body, const std::string& head = "", int status = 200) const;
  /// Requests so far.
  [[nodiscard]] std::size_t requests() const;
  /// Nobody listens on its port until start().
  void stop() { program_.reset(); }
  void start();

  [[nodiscard]] std::string url(const std::string& host = "127.0.0.1") const;

 private:
  const test::Deadline& deadline_;
  const std::string folder_;
  const std::string certificate_;
  std::string port_ = "0";
  std::unique_ptr<test::SpawnedProgram> program_;
};

}  // namespace stormo::integration
