/* The version of this build, as every program prints it. */
#pragma once

#ifndef HOLDEN_VERSION_TEXT
#error "HOLDEN_VERSION_TEXT comes from the Makefile, which reads it from the file VERSION"
#endif
