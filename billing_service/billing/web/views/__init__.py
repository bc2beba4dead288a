"""Pages of billing: each view reads the address, asks a selector or calls one service, and renders."""
