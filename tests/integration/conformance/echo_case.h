#pragma once

#include <stormo/close_code.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "support/websocket_client.h"

namespace stormo::integration {

/// A client of a server that sends each message back: what it sends, and all that it gets. The
/// cases are those of the Autobahn test suite, whose numbers they have.
struct EchoCase {
  using Frame = test::WebSocketClient::Frame;

  struct Step {
    std::vector<std::string> writes;  ///< Frames and parts of frames, each written on its own.
    std::vector<Frame> replies = {};  ///< All come before the next step.
  };

  std::string name;
  std::vector<Step> steps;
  CloseCode closeCode = CloseCode::Normal;  ///< Of the server's close frame, which comes then.
};

using EchoCases = std::vector<EchoCase>;

EchoCases framingCases();        ///< 1: lengths of text and binary messages.
EchoCases pingCases();           ///< 2
EchoCases reservedBitCases();    ///< 3
EchoCases opcodeCases();         ///< 4
EchoCases fragmentationCases();  ///< 5 and 10
EchoCases utf8Cases();           ///< 6
EchoCases closeCases();          ///< 7
EchoCases longMessageCases();    ///< 9.1 to 9.6: up to 16 MiB, in frames, fragments and chops.

// --- To make them ---

/// The replies come, and the server answers the client's close frame, which is added.
EchoCase answered(std::string name, std::vector<EchoCase::Step> steps);
EchoCase answered(std::string name, std::vector<std::string> writes,
                  std::vector<EchoCase::Frame> replies);
/// The server fails the connection, if not otherwise specified for a violation of the protocol.
EchoCase failed(std::string name, std::vector<std::string> writes,
                std::vector<EchoCase::Frame> replies = {},
                CloseCode code = CloseCode::ProtocolError);

std::string closeFrame(int code, std::string_view reason = {});
/// The message in fragments of that size, with the first byte 0x01 or 0x02 of a whole frame's.
std::vector<std::string> fragments(int opcode, std::string_view message, std::size_t size);
/// Bytes in parts of that size.
std::vector<std::string> chops(std::string_view bytes, std::size_t size = 1);

}  // namespace stormo::integration
