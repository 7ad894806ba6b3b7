#pragma once

/// `stormo api-key`: makes a key of the HTTP API, and prints it and the lines for the file.
int runApiKey(int argc, char** argv);
