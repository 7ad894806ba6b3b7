// A program with options of its own. It notes their values.
#include <stormo/stormo.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  stormo::ProgramOptions options(argc, argv, {.version = "1.2.3", .description = "A test program"});
  std::uint16_t port = 0;
  options.add("--port", port, "Port that clients connect to");
  bool isLoud = false;
  options.add("--loud", isLoud, "Write more");
  double ratio = 0.5;
  options.add("--ratio", ratio, "A ratio");
  std::string motto = "none";
  options.add("--motto", motto, "Text that is sent to each client");
  std::vector<std::string> friends;
  options.add("--friend", friends, "A friend; may be repeated");
  std::string file;
  options.addFile("--file", file, "A file");
  if (std::getenv("LATE") == nullptr && !options.parse()) return options.exitStatus();

  stormo::Worker worker("text://127.0.0.1:" + std::to_string(port));
  worker.onWorkerStart = [&](stormo::Worker&) {
    std::ofstream notes(std::getenv("NOTES"));
    notes << "port=" << port << " loud=" << isLoud << " ratio=" << ratio << " motto=" << motto
          << " friends=";
    for (const std::string& each : friends) notes << each << ',';
    notes << " file=" << file << '\n';
  };
  return stormo::Worker::runAll(options);
}
