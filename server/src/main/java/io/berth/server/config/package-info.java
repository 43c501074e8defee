/** The configuration file and its drop-ins, read into records with defaults. docs/configuration.md has every key. */
package io.berth.server.config;
