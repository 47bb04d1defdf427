"""An emulated panel: lamps that a test can look at and buttons that it can press, on the far side of a unix socket.

`factory` is the pin factory inside the station's process (`pin_factory = "emulated"`), `panel` the panel outside it. So the real
daemon runs its real panel code, and what its lamps do is observed from outside the process, with the times at which they did it.
"""
