"""The chat page. Knows answers and their events, not how they are made.

Gradio reads these variables. The first stops look-ups on the internet. Without the others it makes a table of its last
10,000 events after every event, for a monitoring page that is off here.
"""

import os

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(2**31)
os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
