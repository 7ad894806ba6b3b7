#pragma once

/// `stormo pub`: publishes a text, or the lines of stdin, to a group.
int runPub(int argc, char** argv);
/// `stormo sub`: prints the messages of groups.
int runSub(int argc, char** argv);
