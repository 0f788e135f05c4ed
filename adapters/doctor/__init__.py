"""`surveybot doctor`: can this installation do its work, and if not, what exactly is to be done about it (FEATURES A6, A7)?"""
